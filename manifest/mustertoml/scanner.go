package mustertoml

import (
	"bytes"
	"strconv"
	"strings"
)

// A scanner walks TOML that is known to be valid and notes where keys and
// array elements stand. Where it does not understand it stops, and what comes
// after has the places of its parents.
type scanner struct {
	data   []byte
	at     int
	places *places
	arrays map[string]int // elements so far of each [[array]], by joined path
}

func scan(data []byte) *places {
	s := &scanner{data: data, places: newPlaces(), arrays: map[string]int{}}
	var table []string
	for s.skipSpace(); s.at < len(s.data); s.skipSpace() {
		before := s.at
		if s.peek() == '[' {
			table = s.header()
		} else {
			s.pair(table, 0)
		}
		if s.at == before {
			break
		}
	}
	return s.places
}

func (s *scanner) peek() byte {
	if s.at < len(s.data) {
		return s.data[s.at]
	}
	return 0
}

// take moves over b if it is next.
func (s *scanner) take(b byte) bool {
	if s.peek() != b || s.at >= len(s.data) {
		return false
	}
	s.at++
	return true
}

// skipBlanks moves over blanks within a line.
func (s *scanner) skipBlanks() {
	for s.peek() == ' ' || s.peek() == '\t' {
		s.at++
	}
}

// skipSpace moves over blanks, line ends and comments.
func (s *scanner) skipSpace() {
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		case '#':
			for s.at < len(s.data) && s.data[s.at] != '\n' {
				s.at++
			}
		default:
			return
		}
	}
}

// header reads [a.b] or [[a.b]] and returns the path of the table it opens.
func (s *scanner) header() []string {
	s.take('[')
	many := s.take('[')
	path := s.keys(nil, true)
	if many {
		name := join(path)
		path = child(path, index(s.arrays[name]))
		s.places.meet(path, s.at)
		s.arrays[name]++
		s.take(']')
	}
	s.take(']')
	return path
}

// keys reads a dotted key below path. In a header, a part that names an array
// of tables means its last element.
func (s *scanner) keys(path []string, header bool) []string {
	for {
		if len(path) > maxNesting {
			s.at = len(s.data)
			return path
		}
		s.skipBlanks()
		start := s.at
		key := s.key()
		if header && len(path) > 0 {
			if n := s.arrays[join(path)]; n > 0 {
				path = child(path, index(n-1))
			}
		}
		path = child(path, key)
		s.places.meet(path, start)
		s.skipBlanks()
		if !s.take('.') {
			return path
		}
	}
}

// key reads one bare or quoted part of a key.
func (s *scanner) key() string {
	start := s.at
	if b := s.peek(); b == '"' || b == '\'' {
		s.quoted()
		return unquote(string(s.data[start:s.at]))
	}
	for s.at < len(s.data) && !strings.ContainsRune(" \t\r\n.=[]{},#\"'", rune(s.data[s.at])) {
		s.at++
	}
	return string(s.data[start:s.at])
}

// unquote returns what a quoted key means. TOML's escapes are Go's, but for
// \e and a short \x, which no key of ours needs.
func unquote(quoted string) string {
	if quoted[0] == '"' {
		if s, err := strconv.Unquote(quoted); err == nil {
			return s
		}
	}
	return strings.Trim(quoted, quoted[:1])
}

// pair reads "key = value" in the table at path.
func (s *scanner) pair(path []string, nesting int) {
	path = s.keys(path, false)
	if s.take('=') {
		s.skipBlanks()
		s.value(path, nesting)
	}
}

func (s *scanner) value(path []string, nesting int) {
	switch b := s.peek(); {
	case nesting > maxNesting:
		s.at = len(s.data)
	case b == '"' || b == '\'':
		s.quoted()
	case b == '[':
		s.array(path, nesting+1)
	case b == '{':
		s.inlineTable(path, nesting+1)
	default:
		for s.at < len(s.data) && !bytes.ContainsRune([]byte(",]}\r\n#"), rune(s.data[s.at])) {
			s.at++
		}
	}
}

func (s *scanner) array(path []string, nesting int) {
	s.take('[')
	for i := 0; ; i++ {
		s.skipSpace()
		if s.at >= len(s.data) || s.take(']') {
			return
		}
		before := s.at
		element := child(path, index(i))
		s.places.meet(element, s.at)
		s.value(element, nesting)
		s.skipSpace()
		s.take(',')
		if s.at == before {
			return
		}
	}
}

func (s *scanner) inlineTable(path []string, nesting int) {
	s.take('{')
	for {
		s.skipSpace()
		if s.at >= len(s.data) || s.take('}') {
			return
		}
		before := s.at
		s.pair(path, nesting)
		s.skipSpace()
		s.take(',')
		if s.at == before {
			return
		}
	}
}

// quoted moves over a string of any of the four kinds.
func (s *scanner) quoted() {
	quote := s.data[s.at : s.at+1]
	escapes := quote[0] == '"'
	if long := bytes.Repeat(quote, 3); bytes.HasPrefix(s.data[s.at:], long) {
		quote = long
	}
	for s.at += len(quote); s.at < len(s.data); s.at++ {
		if escapes && s.data[s.at] == '\\' {
			s.at++
		} else if bytes.HasPrefix(s.data[s.at:], quote) {
			break
		}
	}
	s.at = min(s.at+len(quote), len(s.data))
	// Up to two quotes may stand right before the closing three.
	for len(quote) == 3 && s.at < len(s.data) && s.data[s.at] == quote[0] {
		s.at++
	}
}
