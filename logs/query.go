package logs

import (
	"cmp"
	"regexp"
	"strings"
	"time"

	"muster"
)

// A Query says what to read. The zero Query is nothing of the past of every
// slot; see Last.
type Query struct {
	// App is the app whose logs are read; "" means every app's.
	App string
	// Match picks among the app's slots; nil means all. Follow asks again as
	// slots appear, so it must not be a list of those that exist now when a
	// whole process type is meant.
	Match func(muster.Slot) bool
	// Last is how many lines of the past are wanted, counted over all slots
	// and after every filter below. 0 is none and -1 all.
	Last int
	// Since and Until bound a line's time: Since <= At < Until. Zero times do
	// not. Follow ignores Until.
	Since, Until time.Time
	// Stream is the one stream to read; "" means both.
	Stream muster.Stream
	// Grep keeps lines that match; nil keeps all. It sees whole lines, and so
	// an unfinished one is not shown early when it is set.
	Grep *regexp.Regexp
}

// An Entry is a line, a piece of one, or a notice that lines are missing.
type Entry struct {
	Slot   muster.Slot
	At     time.Time // of the line's last record; of the last record before the gap for a notice
	Stream muster.Stream
	// Text is the line without its newline, byte for byte as it was written.
	// It is only valid during the call of emit.
	Text []byte
	// Partial says that the line goes on in the next entry of the same slot
	// and stream, which is Continued. Lines are given in pieces when they are
	// longer than 8 MiB and when they are the unfinished last of a slot.
	Partial   bool
	Continued bool
	// Missed, when above 0, makes the entry a notice: that many lines of the
	// slot were written and not looked at, because they were removed before
	// they were read or (Follow) the reader fell too far behind. They may have
	// been lines the query's Stream and Grep would not have wanted.
	Missed int64
}

// inTime reports whether a line of that time is wanted.
func (q *Query) inTime(at time.Time) bool {
	return !at.Before(q.Since) && (q.Until.IsZero() || at.Before(q.Until))
}

func compareSlots(a, b muster.Slot) int {
	return cmp.Or(strings.Compare(a.App, b.App), strings.Compare(a.Type, b.Type), compare(a.N, b.N))
}

func compare[T cmp.Ordered](a, b T) int { return cmp.Compare(a, b) }
