package procfile

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"muster"
)

// maxName is the longest name, in bytes: it becomes a DNS label in places.
const maxName = 63

// maxCommand is the longest command, in bytes: Linux takes no longer string as
// one argument of a program.
const maxCommand = 128<<10 - 1

// example ends the complaints of which a look at a good line is the cure.
const example = `a line like "web: node server.js"`

// checkName refuses what cannot name a process type, at the first byte that is
// wrong.
func (p *parser) checkName(name string, offset int) *muster.Error {
	const hint = `letters, digits and "-", like "web" or "mail-worker"`
	if name == "" {
		return p.text.Refuse(offset, example, "no name before the colon")
	}
	for i, r := range name {
		if !nameByte(r) {
			return p.text.Refuse(offset+i, hint, "%s in the name of a process type", describe(r))
		}
	}
	if name[0] == '-' || name[0] == '_' {
		return p.text.Refuse(offset, hint, "the name of a process type begins with %q", name[0])
	}
	if len(name) > maxName {
		return p.text.Refuse(offset+maxName, "a shorter name", "the name of a process type is longer than %d characters", maxName)
	}
	if last := name[len(name)-1]; last == '-' || last == '_' {
		return p.text.Refuse(offset+len(name)-1, hint, "the name of a process type ends in %q", last)
	}
	return nil
}

func nameByte(r rune) bool {
	return r < utf8.RuneSelf && (r == '-' || r == '_' || muster.ValidTypeName(string(r)))
}

func describe(r rune) string {
	switch r {
	case ' ', '\t', '\v', '\f', '\r':
		return "a blank"
	case '.':
		return "a dot"
	}
	return fmt.Sprintf("%q", string(r))
}

// checkCommand refuses what is no command for a shell.
func (p *parser) checkCommand(name, command string, offset int) *muster.Error {
	if command == "" {
		return p.text.Refuse(offset, example, "process type %q has no command", name)
	}
	if len(command) > maxCommand {
		return p.text.Refuse(offset, "a script file", "the command of process type %q is longer than 128 KiB", name)
	}
	if i := strings.IndexByte(command, '\r'); i >= 0 {
		return p.text.Refuse(offset+i, "saving the file with LF or CRLF line ends", "a carriage return in the middle of a line")
	}
	return nil
}

// warn says what Heroku would make of the entry, where it is not what is
// written.
func (p *parser) warn(e Entry) {
	heroku := strings.ReplaceAll(strings.ToLower(e.Name), "_", "-")
	if heroku != e.Name {
		p.warnings = append(p.warnings, muster.ErrorAt(e.Pos, strconv.Quote(heroku), "Heroku would rename process type %q", e.Name))
	}
	if strings.HasSuffix(e.Command, `\`) {
		end := e.CommandPos
		end.Col += len(e.Command) - 1
		p.warnings = append(p.warnings, muster.ErrorAt(end, "the whole command on one line", `a "\" at the end does not continue the line`))
	}
}
