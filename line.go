package muster

import (
	"bytes"
	"time"
)

// A Stream is where a process wrote a line.
type Stream string

const (
	Stdout Stream = "stdout"
	Stderr Stream = "stderr"
)

// A Line is one record of a log segment. Segments use Kubernetes' CRI log
// format, so the tools that read a container's logs read these too:
//
//	2026-11-21T09:03:40.123456789Z stdout F the text
//
// The third field is F for a full line and P for a piece of one: the next
// record of the same stream continues it. A piece is written when a line is
// longer than the pump holds in memory, or when nothing followed it for 100 ms
// (a prompt). The timestamp is when the record was read, in UTC with nine
// digits, so that records sort as text.
type Line struct {
	At      time.Time
	Stream  Stream
	Partial bool
	Text    []byte // without the newline
}

// LineTimeLayout has a fixed width of 30 bytes.
const LineTimeLayout = "2006-01-02T15:04:05.000000000Z"

// Append appends the record, with its newline, to dst.
func (l Line) Append(dst []byte) []byte {
	dst = AppendLinePrefix(dst, l.At, l.Stream, l.Partial)
	dst = append(dst, l.Text...)
	return append(dst, '\n')
}

// AppendLinePrefix appends the fields that stand before a record's text.
func AppendLinePrefix(dst []byte, at time.Time, stream Stream, partial bool) []byte {
	dst = at.UTC().AppendFormat(dst, LineTimeLayout)
	dst = append(dst, ' ')
	dst = append(dst, stream...)
	if partial {
		return append(dst, " P "...)
	}
	return append(dst, " F "...)
}

// ParseLine reads one record without its newline. Text aliases record. ok is
// false for what is not a record, such as the torn last line of a segment
// whose writer lost power.
func ParseLine(record []byte) (l Line, ok bool) {
	const width = len(LineTimeLayout)
	if len(record) < width+10 || record[width] != ' ' {
		return Line{}, false
	}
	at, ok := parseLineTime(record[:width])
	if !ok {
		return Line{}, false
	}
	stream, rest, found := bytes.Cut(record[width+1:], []byte(" "))
	if !found || len(rest) < 2 || rest[1] != ' ' || rest[0] != 'F' && rest[0] != 'P' {
		return Line{}, false
	}
	l = Line{At: at, Partial: rest[0] == 'P', Text: rest[2:]}
	switch string(stream) {
	case string(Stdout):
		l.Stream = Stdout
	case string(Stderr):
		l.Stream = Stderr
	default:
		return Line{}, false
	}
	return l, true
}

// parseLineTime reads LineTimeLayout. It does what time.Parse does for a tenth
// of its cost: searching logs is mostly this.
func parseLineTime(text []byte) (at time.Time, ok bool) {
	for i, c := range []byte(LineTimeLayout) {
		if isDigit(c) != isDigit(text[i]) || !isDigit(c) && c != text[i] {
			return time.Time{}, false
		}
	}
	year, month, day := digits(text[0:4]), digits(text[5:7]), digits(text[8:10])
	hour, minute, second := digits(text[11:13]), digits(text[14:16]), digits(text[17:19])
	if month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	at = time.Date(year, time.Month(month), day, hour, minute, second, digits(text[20:29]), time.UTC)
	return at, at.Day() == day // February 30 is no time
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func digits(text []byte) (n int) {
	for _, c := range text {
		n = 10*n + int(c-'0')
	}
	return n
}

// A Segment is one file of a slot's log, named by its number in the slot's
// life and the number of the first line in it (both from 1), so that a reader
// that was overtaken can tell exactly how many lines it missed:
// "0000000007-000000123456.log", with ".zst" after it once compressed.
type Segment struct {
	Seq        int64
	FirstLine  int64
	Compressed bool
}
