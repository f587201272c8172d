// Package procfile reads Procfiles: one process type a line, its name, a colon
// and a command for the shell.
//
//	# comments stand on lines of their own
//	web:    node server.js --port $PORT
//	worker: node worker.js
//
// Heroku's parser is the authority. What it accepts is accepted here, and what
// it rewrites or overrides is accepted with a warning. Unlike the local
// runners, nothing is dropped: a line that is no process type is refused. Only
// the first colon splits, and the command is handed on as it stands, because
// only the shell knows which "#" begins a comment.
package procfile

import (
	"bytes"
	"strings"

	"muster"
	"muster/manifest/source"
)

// An Entry is one process type of a Procfile.
type Entry struct {
	Name       string
	Command    string
	Pos        muster.Position // of the name
	CommandPos muster.Position
}

// blanks are what may surround names and commands.
const blanks = " \t\v\f\r"

// Parse reads a Procfile; file is its name in complaints. Entries are in the
// order of the file. The error holds a complaint for every refused line
// (source.Complaints when there are several).
func Parse(file string, data []byte) ([]Entry, []*muster.Error, error) {
	p := parser{text: source.New(file, data), index: map[string]int{}}
	for i := range p.text.Lines() {
		p.line(p.text.Line(i))
	}
	if err := p.refused.Err(); err != nil {
		return nil, p.warnings, err
	}
	if len(p.entries) == 0 {
		return nil, p.warnings, p.text.Refuse(0, example, "no process types")
	}
	return p.entries, p.warnings, nil
}

type parser struct {
	text     *source.Text
	entries  []Entry
	index    map[string]int // of entries, by name
	warnings []*muster.Error
	refused  source.Complaints
}

// line reads one line that starts at offset.
func (p *parser) line(line []byte, offset int) {
	if e := p.text.Unreadable(offset, offset+len(line)); e != nil {
		p.refused = append(p.refused, e)
		return
	}
	body := bytes.TrimLeft(line, blanks)
	offset += len(line) - len(body)
	body = bytes.TrimRight(body, blanks)
	if len(body) == 0 || body[0] == '#' {
		return
	}
	entry, e := p.entry(string(body), offset)
	if e != nil {
		p.refused = append(p.refused, e)
		return
	}
	p.add(entry)
}

// entry splits "name: command", which starts at offset.
func (p *parser) entry(body string, offset int) (Entry, *muster.Error) {
	before, after, found := strings.Cut(body, ":")
	if !found {
		return Entry{}, p.text.Refuse(offset, example+`, or "#" before a comment (foreman would drop the line without a word)`,
			"no colon, so this line is not a process type")
	}
	name := strings.TrimRight(before, blanks)
	if e := p.checkName(name, offset); e != nil {
		return Entry{}, e
	}
	command := strings.TrimLeft(after, blanks)
	at := offset + len(body) - len(command)
	if e := p.checkCommand(name, command, at); e != nil {
		return Entry{}, e
	}
	return Entry{Name: name, Command: command, Pos: p.text.At(offset), CommandPos: p.text.At(at)}, nil
}

// add keeps the entry. The last of several with one name counts, as on Heroku,
// but in the first one's place, so that ports and colours do not move.
func (p *parser) add(e Entry) {
	p.warn(e)
	i, known := p.index[e.Name]
	if !known {
		p.index[e.Name] = len(p.entries)
		p.entries = append(p.entries, e)
		return
	}
	p.warnings = append(p.warnings, muster.ErrorAt(e.Pos, "removing one of them",
		"process type %q is on line %d and again on line %d; the last one counts", e.Name, p.entries[i].Pos.Line, e.Pos.Line))
	p.entries[i] = e
}
