// Package dotenv reads .env files. There are as many dialects as readers; this
// is the one that is read here, whole:
//
//	line                what it means
//	KEY=value           the variable KEY; blanks around "=" and the value are dropped
//	export KEY=value    the same
//	KEY=                the empty value
//	# text              a comment, as are lines of blanks
//	KEY=value # text    a comment after the value; a blank must stand before "#"
//	KEY=a#b             no comment: the value is a#b
//	KEY='value'         exactly what is between the quotes, line ends included
//	KEY="value"         the same with escapes and variables, line ends included
//	\n \r \t \" \\ \$   the escapes of double quotes; every other is refused
//	\$                  a plain dollar sign without quotes too, the only escape there
//	$A ${A}             variable A: from a line above, else from the environment;
//	                    empty, with a warning, when there is none
//	${A:-text}          variable A, or text when A is unset or empty; text may hold
//	                    variables and the escapes of double quotes, and no quotes
//
// Keys are letters, digits and "_" and do not begin with a digit. Of several
// lines with one key the last counts, with a warning. A dollar sign that no
// name or brace follows is itself, so $(command) is text: nothing is ever run.
// CRLF line ends read as LF, inside quotes too. A byte order mark is skipped.
//
// Everything else is refused with its place, and nothing is dropped. Values
// are secrets: no complaint shows any part of a line but a key that was
// assigned.
package dotenv

import (
	"bytes"

	"muster"
	"muster/manifest/source"
)

// maxValue is the longest value, in bytes: Linux takes no longer string into a
// program's environment. It also bounds variables that double each other.
const maxValue = 128<<10 - 1

// Parse reads a .env file; file is its name in complaints. lookup is the
// environment that $A falls back on; nil is an empty one. order holds the keys
// as they come first. The error holds every refused line (source.Complaints
// when there are several).
func Parse(file string, data []byte, lookup func(string) (string, bool)) (env muster.Env, order []string, warnings []*muster.Error, err error) {
	if bytes.Contains(data, []byte("\r\n")) {
		// Columns stay: the end of a line is behind everything in it.
		data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	}
	p := &parser{text: source.New(file, data), lookup: lookup, env: muster.Env{}, lines: map[string]int{}}
	p.data = p.text.Data
	if e := p.text.Unreadable(0, len(p.data)); e != nil {
		return nil, nil, nil, e
	}
	for p.at < len(p.data) {
		if e := p.line(); e != nil {
			p.refused = append(p.refused, e)
			p.skipLine()
		}
	}
	if err := p.refused.Err(); err != nil {
		return nil, nil, p.warnings, err
	}
	return p.env, p.order, p.warnings, nil
}

// A parser stands at data[at] and keeps what it has read.
type parser struct {
	text     *source.Text
	data     []byte
	at       int
	lookup   func(string) (string, bool)
	env      muster.Env
	order    []string
	lines    map[string]int // where each key was assigned last
	warnings []*muster.Error
	refused  source.Complaints
}

// peek returns the byte at the cursor; the end of the file reads as a newline.
func (p *parser) peek() byte {
	if p.at < len(p.data) {
		return p.data[p.at]
	}
	return '\n'
}

func (p *parser) skipBlanks() {
	for isBlank(p.peek()) {
		p.at++
	}
}

// skipLine moves to the start of the next line.
func (p *parser) skipLine() {
	for p.peek() != '\n' {
		p.at++
	}
	p.at++
}

func (p *parser) warn(offset int, hint, format string, args ...any) {
	p.warnings = append(p.warnings, p.text.Refuse(offset, hint, format, args...))
}

func isBlank(b byte) bool { return b == ' ' || b == '\t' || b == '\v' || b == '\f' || b == '\r' }

func isNameStart(b byte) bool {
	return b == '_' || b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z'
}

func isNameByte(b byte) bool { return isNameStart(b) || b >= '0' && b <= '9' }
