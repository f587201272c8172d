package dotenv

import (
	"bytes"
	"strings"

	"muster"
)

// maxNesting bounds variables inside the defaults of variables.
const maxNesting = 10

// variable reads $A, ${A} or ${A:-text}, or a dollar sign that is just that.
// Complaints do not name the variable: after a "$" in a password, the name is
// part of the password.
func (p *parser) variable(b *strings.Builder, nesting int) *muster.Error {
	dollar := p.at
	p.at++
	switch next := p.peek(); {
	case next == '{':
		return p.braced(b, dollar, nesting)
	case isNameStart(next):
		p.expand(b, p.name(), dollar)
	default:
		b.WriteByte('$')
	}
	return nil
}

// name reads the name of a variable; it may be empty.
func (p *parser) name() string {
	start := p.at
	for isNameByte(p.peek()) {
		p.at++
	}
	return string(p.data[start:p.at])
}

func (p *parser) braced(b *strings.Builder, dollar, nesting int) *muster.Error {
	p.at++
	name := p.name()
	switch rest := p.data[p.at:]; {
	case !muster.ValidEnvName(name):
	case bytes.HasPrefix(rest, []byte("}")):
		p.at++
		p.expand(b, name, dollar)
		return nil
	case bytes.HasPrefix(rest, []byte(":-")) && nesting < maxNesting:
		p.at += len(":-")
		return p.withDefault(b, name, dollar, nesting)
	}
	return p.text.Refuse(dollar, `${NAME} or ${NAME:-default}, or single quotes for a plain "$"`, `"${" begins no variable that can be read`)
}

// withDefault reads the text of ${name:-text}. It is read even when it is not
// needed: a mistake in it is one every day.
func (p *parser) withDefault(b *strings.Builder, name string, dollar, nesting int) *muster.Error {
	var text strings.Builder
	for p.peek() != '}' {
		var e *muster.Error
		switch {
		case p.peek() == '\n' || p.peek() == '"':
			return p.text.Refuse(dollar, `"}" after the default, and no quotes inside it`, `"${" is not closed before the next quote or line end`)
		case p.peek() == '$':
			e = p.variable(&text, nesting+1)
		case p.peek() == '\\' && p.at+1 < len(p.data) && p.data[p.at+1] != '\n':
			e = p.escape(&text)
		default:
			text.WriteByte(p.data[p.at])
			p.at++
		}
		if e == nil {
			e = p.tooLong(&text, dollar)
		}
		if e != nil {
			return e
		}
	}
	p.at++
	if value, _ := p.get(name); value != "" {
		b.WriteString(value)
	} else {
		b.WriteString(text.String())
	}
	return nil
}

func (p *parser) expand(b *strings.Builder, name string, dollar int) {
	value, found := p.get(name)
	if !found {
		p.warn(dollar, `${NAME:-default}, or single quotes for a plain "$"`, "the variable named here is not set, so it is empty")
	}
	b.WriteString(value)
}

// get returns what a line above assigned, else what the environment holds.
func (p *parser) get(name string) (string, bool) {
	if value, found := p.env[name]; found {
		return value, true
	}
	if p.lookup == nil {
		return "", false
	}
	return p.lookup(name)
}
