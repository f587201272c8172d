package keeper

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func newLog(t testing.TB, spec LogSpec) *segmentLog {
	if spec.Dir == "" {
		spec.Dir = filepath.Join(t.TempDir(), "web.1")
	}
	if spec.SegmentBytes == 0 {
		spec.SegmentBytes = 1 << 20
	}
	l := &segmentLog{spec: spec}
	t.Cleanup(func() { l.mu.Lock(); defer l.mu.Unlock(); l.closeSegment() })
	return l
}

// say writes whole lines.
func (l *segmentLog) say(lines ...string) {
	l.Write(muster.Stdout, noon, []byte(strings.Join(lines, "\n")+"\n"), false)
}

// A segmentRead is one segment as it is on disk.
type segmentRead struct {
	muster.Segment
	size  int
	lines []muster.Line
}

// readSegments reads a directory, and fails on any torn record.
func readSegments(t testing.TB, dir string) (segments []segmentRead) {
	t.Helper()
	list, err := listSegments(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		data, err := os.ReadFile(filepath.Join(dir, s.Name()))
		if err != nil {
			t.Fatal(err)
		}
		read := segmentRead{Segment: s.Segment, size: len(data)}
		for record := range bytes.Lines(data) {
			line, ok := muster.ParseLine(bytes.TrimSuffix(record, []byte("\n")))
			if !ok || record[len(record)-1] != '\n' {
				t.Fatalf("%s: torn record %.200q", s.Name(), record)
			}
			read.lines = append(read.lines, line)
		}
		segments = append(segments, read)
	}
	return segments
}

// texts are the whole lines of all segments, pieces put together.
func texts(segments []segmentRead) (all []string) {
	open := map[muster.Stream]string{}
	for _, s := range segments {
		for _, l := range s.lines {
			open[l.Stream] += string(l.Text)
			if !l.Partial {
				all = append(all, open[l.Stream])
				delete(open, l.Stream)
			}
		}
	}
	return all
}

// numbersExact checks that every segment is named by its first line.
func numbersExact(t testing.TB, segments []segmentRead) {
	t.Helper()
	if len(segments) == 0 {
		t.Fatal("no segments")
	}
	next, seq := segments[0].FirstLine, segments[0].Seq
	for _, s := range segments {
		if s.FirstLine != next || s.Seq != seq {
			t.Errorf("%s should be number %d and begin with line %d", s.Name(), seq, next)
		}
		for _, l := range s.lines {
			if !l.Partial {
				next++
			}
		}
		seq++
	}
}

func TestSegmentsRotateBySize(t *testing.T) {
	l := newLog(t, LogSpec{SegmentBytes: 4 << 10})
	var want []string
	for i := range 1000 {
		line := fmt.Sprintf("%d %s", i, strings.Repeat("x", i%700))
		want = append(want, line)
		if i%3 == 0 {
			l.say(line)
			continue
		}
		l.Write(muster.Stdout, noon, []byte(line[:1]), true)
		l.Write(muster.Stdout, noon, []byte(line[1:]+"\n"), false)
	}
	segments := readSegments(t, l.spec.Dir)
	numbersExact(t, segments)
	if diff := cmp.Diff(want, texts(segments)); diff != "" {
		t.Errorf("written (-), on disk (+):\n%.500s", diff)
	}
	for _, s := range segments {
		if s.size > 4<<10 {
			t.Errorf("%s has %d bytes", s.Name(), s.size)
		}
	}
	if segments[0].FirstLine != 1 || segments[0].Seq != 1 || len(segments) < 50 {
		t.Errorf("%d segments from %s on", len(segments), segments[0].Name())
	}
}

// TestOneBatchFillsManySegments: what one read of a pump brings may be more
// than a segment holds.
func TestOneBatchFillsManySegments(t *testing.T) {
	l := newLog(t, LogSpec{SegmentBytes: 4 << 10})
	var want []string
	for i := range 5000 {
		want = append(want, fmt.Sprint(i))
	}
	l.say(want...)
	segments := readSegments(t, l.spec.Dir)
	numbersExact(t, segments)
	if diff := cmp.Diff(want, texts(segments)); diff != "" {
		t.Errorf("written (-), on disk (+):\n%.500s", diff)
	}
	for _, s := range segments {
		if s.size > 4<<10 {
			t.Errorf("%s has %d bytes", s.Name(), s.size)
		}
	}
}

func TestSegmentsRotateByAge(t *testing.T) {
	l := newLog(t, LogSpec{SegmentAge: time.Nanosecond})
	l.say("one")
	l.say("two")
	if segments := readSegments(t, l.spec.Dir); len(segments) != 2 {
		t.Errorf("%d segments", len(segments))
	}
}

// TestBudget looks at the disk all the time while lines of every length come
// from many writers: there is never more than the budget.
func TestBudget(t *testing.T) {
	l := newLog(t, LogSpec{SegmentBytes: 32 << 10, MaxBytes: 100 << 10})
	stop, watched := make(chan struct{}), make(chan int64)
	go func() {
		most := int64(0)
		for {
			most = max(most, diskBytes(l.spec.Dir))
			select {
			case <-stop:
				watched <- most
				return
			default:
			}
		}
	}()
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := range 2000 {
				l.say(strings.Repeat("x", (i*37+w)%3000), fmt.Sprint("line ", i))
				if size := diskBytes(l.spec.Dir); size > l.spec.MaxBytes {
					t.Errorf("after a write: %d bytes on disk, %d are allowed", size, l.spec.MaxBytes)
					return
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	if most := <-watched; most > 100<<10 || most < 50<<10 {
		t.Errorf("at most %d bytes were on disk; the budget is %d", most, 100<<10)
	}
	segments := readSegments(t, l.spec.Dir)
	numbersExact(t, segments)
	last := segments[len(segments)-1]
	if l.lines != 4*2000*2 || last.FirstLine+int64(len(last.lines)) != l.lines+1 {
		t.Errorf("the last segment %s with %d lines does not end with line %d", last.Name(), len(last.lines), l.lines)
	}
}

// TestBudgetWithLongLine: a record longer than a segment does not break the
// budget either.
func TestBudgetWithLongLine(t *testing.T) {
	l := newLog(t, LogSpec{SegmentBytes: 64 << 10, MaxBytes: 128 << 10})
	for range 5 {
		// A pump passes lines up to its buffer's size on whole.
		for _, line := range []string{"short", strings.Repeat("y", 250<<10)} {
			l.say(line)
			if size := diskBytes(l.spec.Dir); size > l.spec.MaxBytes {
				t.Fatalf("%d bytes on disk, %d are allowed", size, l.spec.MaxBytes)
			}
		}
	}
}

func diskBytes(dir string) (total int64) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			total += info.Size()
		}
	}
	return total
}

// TestContinueEarlierDirectory: a new keeper goes on with the numbers, in a
// segment of its own, also where the last record of the old one is torn.
func TestContinueEarlierDirectory(t *testing.T) {
	for name, torn := range map[string]string{
		"whole": "", "torn text": "2026-11-21T09:03:40.123456789Z stdout F hal", "torn time": "2026-11-2",
		"piece": "2026-11-21T09:03:40.123456789Z stdout P half\n",
	} {
		t.Run(name, func(t *testing.T) {
			first := newLog(t, LogSpec{SegmentBytes: 1 << 10})
			for i := range 50 {
				first.say(fmt.Sprint("old ", i))
			}
			old, err := listSegments(first.spec.Dir)
			if err != nil || len(old) < 2 {
				t.Fatalf("%d segments, %v", len(old), err)
			}
			last := filepath.Join(first.spec.Dir, old[len(old)-1].Name())
			f, err := os.OpenFile(last, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			f.WriteString(torn)
			f.Close()
			before, _ := os.ReadFile(last)

			second := newLog(t, LogSpec{Dir: first.spec.Dir, SegmentBytes: 1 << 10})
			second.say("new")
			if after, _ := os.ReadFile(last); !bytes.Equal(before, after) {
				t.Error("the old segment was written to")
			}
			now, _ := listSegments(first.spec.Dir)
			got := now[len(now)-1]
			want := muster.Segment{Seq: old[len(old)-1].Seq + 1, FirstLine: 51}
			if torn != "" && strings.Contains(torn, " F ") {
				want.FirstLine = 52 // a torn line was one, and it is not whole: readers count it
			}
			if got.Seq != want.Seq || got.FirstLine != want.FirstLine {
				t.Errorf("continued with %s; wanted %s", got.Name(), want.Name())
			}
		})
	}
}

// TestForeignFilesAreLeftAlone: what is no segment is neither counted nor removed.
func TestForeignFilesAreLeftAlone(t *testing.T) {
	l := newLog(t, LogSpec{SegmentBytes: 1 << 10, MaxBytes: 3 << 10})
	if err := os.MkdirAll(l.spec.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	notes := filepath.Join(l.spec.Dir, "notes.txt")
	if err := os.WriteFile(notes, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range 500 {
		l.say(fmt.Sprint("line ", i))
	}
	if text, _ := os.ReadFile(notes); string(text) != "mine" {
		t.Error("a foreign file was touched")
	}
}

// TestRemovedDirectory: the writer is not stopped, the log comes back, and the
// numbers still tell how many lines are gone.
func TestRemovedDirectory(t *testing.T) {
	l := newLog(t, LogSpec{SegmentBytes: 4 << 10})
	l.say("before")
	if err := os.RemoveAll(l.spec.Dir); err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		l.say(fmt.Sprint("after ", i))
	}
	segments := readSegments(t, l.spec.Dir)
	numbersExact(t, segments)
	if got := texts(segments); len(got) == 0 || got[len(got)-1] != "after 199" {
		t.Errorf("the log did not come back: %d lines", len(got))
	}
}

// TestUnwritableDirectory: lines are counted while the directory can not be
// made, and the count is confessed, exact, once it can.
func TestUnwritableDirectory(t *testing.T) {
	parent := t.TempDir()
	blocked := filepath.Join(parent, "blocked")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l := newLog(t, LogSpec{Dir: filepath.Join(blocked, "web.1")})
	l.say("one", "two", "three")
	l.Write(muster.Stderr, noon, []byte("four\n"), false)
	if err := os.Remove(blocked); err != nil {
		t.Fatal(err)
	}
	l.say("five")
	segments := readSegments(t, l.spec.Dir)
	numbersExact(t, segments)
	got := texts(segments)
	if len(got) != 2 || !strings.HasPrefix(got[0], "muster: 4 lines lost here: ") || got[1] != "five" {
		t.Errorf("%q", got)
	}
}

// TestLossTearsNoLine: a line whose end was lost is not continued by the next
// one, and one whose beginning was lost does not pass for a whole line of its own.
func TestLossTearsNoLine(t *testing.T) {
	for name, c := range map[string]struct{ before, lost, after func(*segmentLog) }{
		"end lost": {
			func(l *segmentLog) { l.Write(muster.Stdout, noon, []byte("begin"), true) },
			func(l *segmentLog) { l.Write(muster.Stdout, noon, []byte("end\n"), false) },
			func(l *segmentLog) { l.say("next") },
		},
		"beginning lost": {
			func(l *segmentLog) { l.say("first") },
			func(l *segmentLog) { l.Write(muster.Stdout, noon, []byte("begin"), true) },
			func(l *segmentLog) { l.Write(muster.Stdout, noon, []byte("end\n"), false) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLog(t, LogSpec{})
			c.before(l)
			l.mu.Lock()
			readOnly, err := os.Open(l.file.Name()) // writing to it fails, as to a full disk
			whole := l.file
			l.file = readOnly
			l.mu.Unlock()
			if err != nil {
				t.Fatal(err)
			}
			c.lost(l)
			l.mu.Lock()
			readOnly.Close()
			l.file = whole
			l.mu.Unlock()
			c.after(l)
			confessed := false
			for _, line := range texts(readSegments(t, l.spec.Dir)) {
				confessed = confessed || strings.Contains(line, "lost here")
				if line == "beginnext" || line == "end" && !confessed {
					t.Errorf("%q is on record, which nobody wrote", line)
				}
			}
			if !confessed {
				t.Error("the loss is not confessed")
			}
		})
	}
}
