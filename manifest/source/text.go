// Package source is a file a person wrote, as the parsers of manifests see it:
// its bytes, the places in it, and the complaints about it. It knows no
// grammar.
package source

import (
	"bytes"
	"sort"
	"unicode/utf8"

	"muster"
)

// A Text is one file. Data has no byte order mark, so the first visible
// character is at column 1, where editors show it.
type Text struct {
	File string
	Data []byte
	// lines holds the offset of every line's first byte.
	lines []int
}

// New prepares data for reading. Data may be kept and is not changed.
func New(file string, data []byte) *Text {
	t := &Text{File: file, Data: bytes.TrimPrefix(data, []byte("\uFEFF")), lines: []int{0}}
	for i, b := range t.Data {
		if b == '\n' {
			t.lines = append(t.lines, i+1)
		}
	}
	return t
}

// Lines is the number of lines; an empty file has one.
func (t *Text) Lines() int { return len(t.lines) }

// Line returns line i, counted from 0, without its end ("\n" or "\r\n"), and
// the offset it starts at.
func (t *Text) Line(i int) (line []byte, start int) {
	start, end := t.lines[i], len(t.Data)
	if i+1 < len(t.lines) {
		end = t.lines[i+1] - 1
	}
	return bytes.TrimSuffix(t.Data[start:end], []byte("\r")), start
}

// At returns the place of the byte at offset.
func (t *Text) At(offset int) muster.Position {
	offset = min(max(offset, 0), len(t.Data))
	line := sort.SearchInts(t.lines, offset+1)
	return muster.Position{File: t.File, Line: line, Col: offset - t.lines[line-1] + 1}
}

// Refuse returns a complaint about the byte at offset.
func (t *Text) Refuse(offset int, hint, format string, args ...any) *muster.Error {
	return muster.ErrorAt(t.At(offset), hint, format, args...)
}

// Unreadable complains about the first byte from start up to end that no text
// file holds: a NUL, which would cut a command or a variable short, or what is
// not UTF-8. It returns nil when there is none.
func (t *Text) Unreadable(start, end int) *muster.Error {
	const hint = "saving the file as UTF-8 text"
	for i := start; i < end; {
		if t.Data[i] == 0 {
			return t.Refuse(i, hint, "a NUL byte, which no text file has")
		}
		r, size := utf8.DecodeRune(t.Data[i:end])
		if r == utf8.RuneError && size == 1 {
			return t.Refuse(i, hint, "byte 0x%02x is not UTF-8", t.Data[i])
		}
		i += size
	}
	return nil
}
