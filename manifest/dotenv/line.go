package dotenv

import (
	"bytes"

	"muster"
)

// line reads one assignment, which may span several lines, a comment or
// nothing, and its end. After a refusal the cursor is in the line to skip.
func (p *parser) line() *muster.Error {
	p.skipBlanks()
	if b := p.peek(); b == '\n' || b == '#' {
		p.skipLine()
		return nil
	}
	p.skipExport()
	start := p.at
	key, e := p.key()
	if e != nil {
		return e
	}
	p.skipBlanks()
	value, e := p.value(key)
	if e != nil {
		return e
	}
	if len(value) > maxValue {
		return p.text.Refuse(start, "a file, and its path in the variable", "the value of %s is longer than 128 KiB", key)
	}
	p.assign(key, value, start)
	return nil
}

// skipExport skips "export" where a key follows it, and not where it is the
// key.
func (p *parser) skipExport() {
	rest, found := bytes.CutPrefix(p.data[p.at:], []byte("export"))
	if !found || len(rest) == 0 || !isBlank(rest[0]) {
		return
	}
	if after := bytes.TrimLeft(rest, " \t"); len(after) > 0 && after[0] != '=' {
		p.at = len(p.data) - len(after)
	}
}

// key reads a key and the "=" behind it.
func (p *parser) key() (string, *muster.Error) {
	const example = `a line like KEY=value, or "#" before a comment`
	start := p.at
	for isNameByte(p.peek()) {
		p.at++
	}
	key := string(p.data[start:p.at])
	end := p.at
	p.skipBlanks()
	switch b := p.peek(); {
	case b == '=' && muster.ValidEnvName(key):
		p.at++
		return key, nil
	case b == '=' && key == "":
		return "", p.text.Refuse(start, example, `no key before "="`)
	case b == '=':
		return "", p.text.Refuse(start, `a letter or "_" first`, "the key begins with a digit")
	case b == ':' && key != "":
		return "", p.text.Refuse(p.at, `"=" in place of the colon: .env files are not YAML`, "a colon after the key")
	case b == '\n' && key != "":
		return "", p.text.Refuse(start, example+", or quotes around a value of several lines", `no "=" in this line`)
	case end > start && p.at > end:
		return "", p.text.Refuse(end, example, "a blank in the key")
	}
	return "", p.text.Refuse(end, `letters, digits and "_", then "="`, "a character that no key has")
}

// assign gives key its value. The last value counts.
func (p *parser) assign(key, value string, start int) {
	line := p.text.At(start).Line
	if before, repeated := p.lines[key]; repeated {
		p.warn(start, "removing one of them", "%s is on line %d and again on line %d; the last one counts", key, before, line)
	} else {
		p.order = append(p.order, key)
	}
	p.lines[key] = line
	p.env[key] = value
}
