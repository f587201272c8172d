package logs_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"muster"
	"muster/logs"
)

// A following is a call of Follow whose emit waits for the test to take each
// entry.
type following struct {
	t       *testing.T
	entries chan string
}

func follow(t *testing.T, store *logs.Store, q logs.Query) *following {
	ctx, cancel := context.WithCancel(context.Background())
	f := &following{t: t, entries: make(chan string)}
	ended := make(chan error, 1)
	go func() {
		ended <- store.Follow(ctx, q, func(e logs.Entry) error {
			select {
			case f.entries <- show(e):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Follow = %v", err)
		}
	})
	return f
}

func (f *following) next() string {
	f.t.Helper()
	select {
	case e := <-f.entries:
		return e
	case <-time.After(20 * time.Second):
		f.t.Fatal("nothing came")
		return ""
	}
}

func (f *following) expect(want ...string) {
	f.t.Helper()
	var got []string
	for range want {
		got = append(got, f.next())
	}
	expect(f.t, got, want...)
}

func TestFollowAcrossRotationAndCompression(t *testing.T) {
	store := logs.Open(t.TempDir())
	w := newSlotLog(t, store, web1)
	w.write(numbered(1, 4)...)
	f := follow(t, store, logs.Query{App: "shop", Last: 2})
	f.expect("web.1 line 3", "web.1 line 4")
	w.write("line 5")
	f.expect("web.1 line 5")
	w.write("line 6")
	w.rotate()
	w.write("line 7")
	f.expect("web.1 line 6", "web.1 line 7")
	compress(t, store, web1)
	w.write("line 8")
	w.rotate()
	compress(t, store, web1)
	w.write("line 9")
	f.expect("web.1 line 8", "web.1 line 9")
}

func TestFollowPicksUpNewSlots(t *testing.T) {
	store := logs.Open(t.TempDir())
	a := newSlotLog(t, store, web1)
	a.write("start")
	web := func(s muster.Slot) bool { return s.Type == "web" }
	f := follow(t, store, logs.Query{App: "shop", Match: web, Last: 1})
	f.expect("web.1 start")
	newSlotLog(t, store, worker1).write("not asked for")
	newSlotLog(t, store, web2).write("scaled up")
	f.expect("web.2 scaled up")
	a.write("again")
	f.expect("web.1 again")
}

func TestFollowBeforeThereIsAnyLog(t *testing.T) {
	store := logs.Open(t.TempDir() + "/not/yet")
	f := follow(t, store, logs.Query{App: "shop"})
	w := newSlotLog(t, store, web1)
	for f.waitsForAnother() {
		w.write("hello")
	}
}

func TestFollowALogThatIsBegunAnew(t *testing.T) {
	store := logs.Open(t.TempDir())
	w := newSlotLog(t, store, web1)
	w.write("one", "two", "three")
	f := follow(t, store, logs.Query{App: "shop", Last: 1})
	f.expect("web.1 three")
	if err := os.RemoveAll(w.dir); err != nil {
		t.Fatal(err)
	}
	newSlotLog(t, store, web1).write("new life")
	f.expect("web.1 new life")
}

func TestFollowShowsUnfinishedLines(t *testing.T) {
	store := logs.Open(t.TempDir())
	w := newSlotLog(t, store, web1)
	w.write("start")
	w.piece("old ")
	all := follow(t, store, logs.Query{App: "shop", Last: 2})
	matching := follow(t, store, logs.Query{App: "shop", Last: -1, Grep: regexp.MustCompile("start|name.*bob|end")})
	all.expect("web.1 start", "web.1 old ...")
	w.write("line")
	all.expect("web.1 ...line")
	w.piece("name? ")
	all.expect("web.1 name? ...")
	w.stderr("meanwhile")
	all.expect("web.1 err meanwhile")
	w.write("bob", "end")
	all.expect("web.1 ...bob", "web.1 end")
	matching.expect("web.1 start", "web.1 name? bob", "web.1 end")
}

// A line that began before a follower came is shown to it whole.
func TestFollowJoinsWhatBeganBefore(t *testing.T) {
	store := logs.Open(t.TempDir())
	w := newSlotLog(t, store, web1)
	w.write("long ago")
	w.piece("old ")
	f := follow(t, store, logs.Query{App: "shop"})
	for f.waitsForAnother() {
		w.stderr("are you there?")
	}
	w.write("line")
	for {
		e := f.next()
		if e == "web.1 old line" {
			return
		}
		if e != "web.1 err are you there?" {
			t.Fatalf("%q came before the line's end", e)
		}
	}
}

// waitsForAnother takes an entry if one comes soon. It reports whether none
// did.
func (f *following) waitsForAnother() bool {
	select {
	case <-f.entries:
		return false
	case <-time.After(10 * time.Millisecond):
		return true
	}
}

// A reader that stands still while segments are removed is told exactly how
// many lines it did not see.
func TestFollowCountsWhatItMissed(t *testing.T) {
	store := logs.Open(t.TempDir())
	w := newSlotLog(t, store, web1)
	w.write(numbered(1, 10)...)
	f := follow(t, store, logs.Query{App: "shop", Last: 1})
	f.expect("web.1 line 10")
	w.write("line 11", "line 12")
	f.expect("web.1 line 11")
	// The follower holds line 12, or will find it in the segment it has open.
	for i := range 4 {
		w.rotate()
		w.piece("a piece is not a line: ")
		w.write(numbered(13+i*5, 17+i*5)...)
	}
	for seq := range int64(4) {
		w.remove(seq + 1)
	}
	f.expect("web.1 line 12", "web.1 15 missed", "web.1 a piece is not a line: line 28", "web.1 line 29")
}

// Lag alone, with nothing removed, is enough: what is new matters more.
func TestFollowGivesUpOnOldSegments(t *testing.T) {
	store := logs.Open(t.TempDir())
	w := newSlotLog(t, store, web1)
	w.write("line 1")
	f := follow(t, store, logs.Query{App: "shop", Last: 1})
	f.expect("web.1 line 1")
	w.write("line 2", "line 3")
	f.expect("web.1 line 2")
	for i := range 3 {
		w.rotate()
		w.write(fmt.Sprint("line ", i+4))
	}
	f.expect("web.1 line 3", "web.1 2 missed", "web.1 line 6")
}

func TestFollowAcrossRemovalOfWhatWasRead(t *testing.T) {
	store := logs.Open(t.TempDir())
	w := newSlotLog(t, store, web1)
	w.write("line 1")
	f := follow(t, store, logs.Query{App: "shop", Last: 1})
	f.expect("web.1 line 1")
	w.write("line 2")
	w.rotate()
	w.remove(1)
	w.write("line 3")
	f.expect("web.1 line 2", "web.1 line 3")
}

// A writer that does not wait costs a blocked follower no memory, and every
// line is either seen, in order, or counted as missed.
func TestBlockedFollower(t *testing.T) {
	store := logs.Open(t.TempDir())
	w := newSlotLog(t, store, web1)
	w.write("0 start")
	f := follow(t, store, logs.Query{App: "shop", Last: 1})
	f.expect("web.1 0 start")
	next := 1
	burst := func(segments int) {
		for range segments {
			w.rotate()
			w.remove(w.segment.Seq - 3)
			for range 200 {
				w.write(fmt.Sprint(next, strings.Repeat(" x", 1<<10)))
				next++
			}
		}
	}
	burst(2)
	seen := f.take(1, 50)
	before := heap()
	burst(50) // 20 MiB
	if grown := heap() - before; grown > 4<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	seen = f.take(seen, 500)
	burst(10)
	w.write("last")
	next++
	seen = f.take(seen, next-seen)
	if seen != next {
		t.Errorf("lines seen and missed are %d, written were %d", seen, next)
	}
}

// take takes some of the lines that start with their number, the first with
// the number from. It returns the number that is next.
func (f *following) take(from, lines int) (next int) {
	f.t.Helper()
	for end := from + lines; from < end; {
		e := strings.TrimPrefix(f.next(), "web.1 ")
		var n int
		if e == "last" {
			return from + 1
		}
		fmt.Sscan(e, &n)
		switch {
		case strings.HasSuffix(e, " missed"):
			from += n
		case n != from:
			f.t.Fatalf("line %d came in place of %d", n, from)
		default:
			from++
		}
	}
	return from
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestFollowReturnsEmitsError(t *testing.T) {
	store := logs.Open(t.TempDir())
	w := newSlotLog(t, store, web1)
	w.write("history")
	stop := errors.New("enough")
	n := 0
	err := store.Follow(context.Background(), logs.Query{Last: 1}, func(logs.Entry) error {
		if n++; n == 2 {
			return stop
		}
		w.write("more")
		return nil
	})
	if err != stop {
		t.Errorf("Follow = %v, want emit's error", err)
	}
}
