package dotenv

import (
	"bytes"
	"strings"

	"muster"
)

// value reads the value of key, what may follow it, and the end of the line.
func (p *parser) value(key string) (string, *muster.Error) {
	switch p.peek() {
	case '\'':
		value, e := p.singleQuoted(key)
		return p.endQuoted(value, e)
	case '"':
		value, e := p.doubleQuoted(key)
		return p.endQuoted(value, e)
	}
	return p.unquoted()
}

// endQuoted allows a comment after the closing quote, and nothing else.
func (p *parser) endQuoted(value string, e *muster.Error) (string, *muster.Error) {
	if e != nil {
		return "", e
	}
	end := p.at
	p.skipBlanks()
	if b := p.peek(); b == '\n' || b == '#' && p.at > end {
		p.skipLine()
		return value, nil
	}
	return "", p.text.Refuse(p.at, `quotes around the whole value, or \" for a quote inside double quotes`, "text after the closing quote")
}

func (p *parser) singleQuoted(key string) (string, *muster.Error) {
	open := p.at
	length := bytes.IndexByte(p.data[open+1:], '\'')
	if length < 0 {
		return "", p.unterminated(key, open)
	}
	p.at = open + 1 + length + 1
	return string(p.data[open+1 : p.at-1]), nil
}

func (p *parser) doubleQuoted(key string) (string, *muster.Error) {
	open := p.at
	if !p.closes(open) {
		return "", p.unterminated(key, open)
	}
	var b strings.Builder
	for p.at++; p.data[p.at] != '"'; {
		var e *muster.Error
		switch p.data[p.at] {
		case '\\':
			e = p.escape(&b)
		case '$':
			e = p.variable(&b, 0)
		default:
			b.WriteByte(p.data[p.at])
			p.at++
		}
		if e == nil {
			e = p.tooLong(&b, open)
		}
		if e != nil {
			p.skipQuoted(open)
			return "", e
		}
	}
	p.at++
	return b.String(), nil
}

// closes reports whether the double quote at open has a closing one.
func (p *parser) closes(open int) bool { return p.closing(open) >= 0 }

// closing returns the offset of the quote that closes the one at open, or -1.
func (p *parser) closing(open int) int {
	for i := open + 1; i < len(p.data); i++ {
		switch p.data[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// skipQuoted moves behind a refused value, so that its later lines are not
// taken for assignments.
func (p *parser) skipQuoted(open int) { p.at = max(p.at, p.closing(open)) }

// unterminated refuses a quote without end. All that follows is inside it, so
// reading stops here.
func (p *parser) unterminated(key string, open int) *muster.Error {
	p.at = len(p.data)
	return p.text.Refuse(open, "a closing quote", "the quote that begins the value of %s is never closed", key)
}

// unquoted reads up to the end of the line or a comment.
func (p *parser) unquoted() (string, *muster.Error) {
	var b strings.Builder
	start := p.at
	for p.peek() != '\n' {
		if p.peek() == '#' && isBlank(p.data[p.at-1]) {
			break
		}
		if e := p.unquotedPiece(&b); e != nil {
			return "", e
		}
		if e := p.tooLong(&b, start); e != nil {
			return "", e
		}
	}
	p.skipLine()
	return strings.TrimRight(b.String(), " \t\v\f\r"), nil
}

func (p *parser) unquotedPiece(b *strings.Builder) *muster.Error {
	switch {
	case p.peek() == '$':
		return p.variable(b, 0)
	case p.peek() == '\\' && p.at+1 < len(p.data) && p.data[p.at+1] == '$':
		p.at++
	}
	b.WriteByte(p.data[p.at])
	p.at++
	return nil
}

func (p *parser) tooLong(b *strings.Builder, start int) *muster.Error {
	if b.Len() <= maxValue {
		return nil
	}
	return p.text.Refuse(start, "a file, and its path in the variable", "a value longer than 128 KiB")
}

// escape reads a backslash and what it stands for.
func (p *parser) escape(b *strings.Builder) *muster.Error {
	const from, to = `nrt"\$`, "\n\r\t\"\\$"
	i := strings.IndexByte(from, p.data[p.at+1])
	if i < 0 {
		return p.text.Refuse(p.at, `"\\" for a backslash, or single quotes around the value; the escapes are \n \r \t \" \\ \$`,
			"an escape that is not known")
	}
	b.WriteByte(to[i])
	p.at += 2
	return nil
}
