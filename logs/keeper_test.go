package logs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"muster"
	"muster/logs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// epoch is when the first line of every test's log is written.
var epoch = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// A slotLog writes a slot's log as the keeper does.
type slotLog struct {
	t       testing.TB
	dir     string
	segment muster.Segment
	file    *os.File
	lines   int64
	now     time.Time
}

func newSlotLog(t testing.TB, store *logs.Store, slot muster.Slot) *slotLog {
	l := &slotLog{t: t, dir: store.Dir(slot), now: epoch}
	t.Cleanup(func() { l.file.Close() })
	return l
}

// write appends records of stdout, a second apart.
func (l *slotLog) write(texts ...string) {
	for _, text := range texts {
		l.record(muster.Stdout, false, text)
	}
}

func (l *slotLog) stderr(text string) { l.record(muster.Stderr, false, text) }
func (l *slotLog) piece(text string)  { l.record(muster.Stdout, true, text) }

func (l *slotLog) record(stream muster.Stream, partial bool, text string) {
	line := muster.Line{At: l.now, Stream: stream, Partial: partial, Text: []byte(text)}
	l.raw(line.Append(nil))
	l.now = l.now.Add(time.Second)
	if !partial {
		l.lines++
	}
}

func (l *slotLog) raw(data []byte) {
	if l.file == nil {
		l.rotate()
	}
	if _, err := l.file.Write(data); err != nil {
		l.t.Error(err)
	}
}

// rotate starts the next segment.
func (l *slotLog) rotate() {
	l.file.Close()
	err := os.MkdirAll(l.dir, 0o700)
	if err == nil {
		l.segment = muster.Segment{Seq: l.segment.Seq + 1, FirstLine: l.lines + 1}
		l.file, err = os.Create(filepath.Join(l.dir, l.segment.Name()))
	}
	if err != nil {
		l.t.Error(err)
	}
}

// remove removes the segment with that number, as the keeper does with the
// oldest.
func (l *slotLog) remove(seq int64) {
	names, _ := filepath.Glob(filepath.Join(l.dir, fmt.Sprintf("%010d-*", seq)))
	for _, name := range names {
		if err := os.Remove(name); err != nil {
			l.t.Error(err)
		}
	}
}

func (l *slotLog) names() (names []string) {
	entries, err := os.ReadDir(l.dir)
	if err != nil {
		l.t.Error(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func numbered(from, to int) (texts []string) {
	for i := from; i <= to; i++ {
		texts = append(texts, fmt.Sprint("line ", i))
	}
	return texts
}

// show is an entry as the tests write it down.
func show(e logs.Entry) string {
	s := e.Slot.Name() + " "
	if e.Missed > 0 {
		return fmt.Sprintf("%s%d missed", s, e.Missed)
	}
	if e.Stream == muster.Stderr {
		s += "err "
	}
	if e.Continued {
		s += "..."
	}
	s += string(e.Text)
	if e.Partial {
		s += "..."
	}
	return s
}
