package logs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster"
	"muster/logs"
)

var (
	web1    = muster.Slot{App: "shop", Type: "web", N: 1}
	web2    = muster.Slot{App: "shop", Type: "web", N: 2}
	worker1 = muster.Slot{App: "shop", Type: "worker", N: 1}
)

func read(t testing.TB, store *logs.Store, q logs.Query) (lines []string) {
	t.Helper()
	err := store.Read(context.Background(), q, func(e logs.Entry) error {
		lines = append(lines, show(e))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func expect(t testing.TB, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("entries (-want +got):\n%s", diff)
	}
}

func compress(t testing.TB, store *logs.Store, slot muster.Slot) {
	t.Helper()
	if err := store.Compress(context.Background(), slot); err != nil {
		t.Fatal(err)
	}
}

func prefixed(prefix string, lines []string) (out []string) {
	for _, l := range lines {
		out = append(out, prefix+l)
	}
	return out
}

func TestHistoryOverRotationAndCompression(t *testing.T) {
	store := logs.Open(t.TempDir())
	w := newSlotLog(t, store, web1)
	for i := range 5 {
		w.rotate()
		w.write(numbered(i*3+1, i*3+3)...)
		if i == 2 {
			compress(t, store, web1)
		}
	}
	all := prefixed("web.1 ", numbered(1, 15))
	for n := 0; n <= 20; n++ {
		t.Run(fmt.Sprint("last ", n), func(t *testing.T) {
			want := all[max(0, len(all)-n):]
			expect(t, read(t, store, logs.Query{App: "shop", Last: n}), append([]string(nil), want...)...)
		})
	}
	expect(t, read(t, store, logs.Query{App: "shop", Last: -1}), all...)
	for i := range all {
		since := epoch.Add(time.Duration(i) * time.Second)
		expect(t, read(t, store, logs.Query{Last: -1, Since: since}), all[i:]...)
		expect(t, read(t, store, logs.Query{Last: 100, Since: since}), all[i:]...)
		expect(t, read(t, store, logs.Query{Last: 100, Since: since, Until: since.Add(3 * time.Second)}),
			all[i:min(i+3, len(all))]...)
		if i > 0 {
			expect(t, read(t, store, logs.Query{Last: -1, Until: since}), all[:i]...)
			expect(t, read(t, store, logs.Query{Last: 1, Until: since}), all[i-1])
		}
	}
}

func TestSlotsAreMergedByTime(t *testing.T) {
	store := logs.Open(t.TempDir())
	a, b := newSlotLog(t, store, web1), newSlotLog(t, store, worker1)
	b.now = b.now.Add(500 * time.Millisecond)
	for i := range 4 {
		a.write(fmt.Sprint("a", i))
		b.write(fmt.Sprint("b", i))
		b.rotate()
	}
	newSlotLog(t, store, web2).rotate() // says nothing
	a.write("a4", "a5")
	expect(t, read(t, store, logs.Query{App: "shop", Last: 5}),
		"worker.1 b2", "web.1 a3", "worker.1 b3", "web.1 a4", "web.1 a5")
}

func TestFilters(t *testing.T) {
	store := logs.Open(t.TempDir())
	a, b := newSlotLog(t, store, web1), newSlotLog(t, store, web2)
	a.write("GET /1")
	a.stderr("bad /2")
	a.write("GET /3")
	b.now = a.now
	b.stderr("bad /4")
	a.now = b.now
	a.write("GET /5")

	expect(t, read(t, store, logs.Query{App: "shop", Last: 2, Stream: muster.Stderr}),
		"web.1 err bad /2", "web.2 err bad /4")
	expect(t, read(t, store, logs.Query{App: "shop", Last: 2, Grep: regexp.MustCompile("^GET")}),
		"web.1 GET /3", "web.1 GET /5")
	onlyWeb2 := func(s muster.Slot) bool { return s == web2 }
	expect(t, read(t, store, logs.Query{App: "shop", Last: -1, Match: onlyWeb2}), "web.2 err bad /4")
	expect(t, read(t, store, logs.Query{App: "other", Last: -1}))
	expect(t, read(t, store, logs.Query{App: "../shop", Last: -1}))
}

func TestPiecesAreJoined(t *testing.T) {
	store := logs.Open(t.TempDir())
	w := newSlotLog(t, store, web1)
	w.write("one")
	w.piece("two ")
	w.stderr("between")
	w.piece("and ")
	w.rotate()
	w.write("a half", "three")
	compress(t, store, web1)
	want := []string{"web.1 one", "web.1 err between", "web.1 two and a half", "web.1 three"}
	expect(t, read(t, store, logs.Query{Last: -1}), want...)
	expect(t, read(t, store, logs.Query{Last: 4}), want...)
	expect(t, read(t, store, logs.Query{Last: 2}), want[2:]...)
	expect(t, read(t, store, logs.Query{Last: 1, Grep: regexp.MustCompile("two.*half")}), want[2])
	w.piece("name? ")
	expect(t, read(t, store, logs.Query{Last: 2}), "web.1 three", "web.1 name? ...")
	expect(t, read(t, store, logs.Query{Last: 1}), "web.1 name? ...")
}

func TestLongLines(t *testing.T) {
	store := logs.Open(t.TempDir())
	w := newSlotLog(t, store, web1)
	piece := strings.Repeat("x", 64<<10)
	w.write("before")
	for range 100 { // 6.25 MiB, in one
		w.piece(piece)
	}
	w.write("end")
	for range 300 { // 18.75 MiB, in three
		w.piece(piece)
	}
	w.write("end", "after")
	var got []string
	err := store.Read(context.Background(), logs.Query{Last: -1}, func(e logs.Entry) error {
		got = append(got, fmt.Sprintln(len(e.Text), e.Continued, e.Partial))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, got, "6 false false\n", "6553603 false false\n",
		"8388608 false true\n", "8388608 true true\n", "2883587 true false\n", "5 false false\n")
	if last := read(t, store, logs.Query{Last: 1}); len(last) != 1 || last[0] != "web.1 after" {
		t.Errorf("last line is not the last: %d entries", len(last))
	}
}

func TestTextIsUntouched(t *testing.T) {
	store := logs.Open(t.TempDir())
	w := newSlotLog(t, store, web1)
	texts := []string{"", " ", "\x00\xff\xfe", "tab\tbell\a\r", "\xc3", strings.Repeat("é", 40<<10)}
	w.write(texts...)
	w.rotate()
	compress(t, store, web1)
	expect(t, read(t, store, logs.Query{Last: -1}), prefixed("web.1 ", texts)...)
	expect(t, read(t, store, logs.Query{Last: 6}), prefixed("web.1 ", texts)...)
}

func TestWhatIsNoRecordIsPassedOver(t *testing.T) {
	store := logs.Open(t.TempDir())
	w := newSlotLog(t, store, web1)
	w.write("one")
	w.raw([]byte("2026-11-21T09:00:"))
	w.rotate() // empty
	w.rotate()
	w.raw([]byte("\n\n\x00\x00\x00\nnonsense\n"))
	w.write("two")
	w.raw(bytes.Repeat([]byte("z"), 9<<20))
	w.raw([]byte("\n"))
	w.write("three")
	w.raw([]byte("2026-11-21T09:00:00.000000000Z stdout F not yet writ"))
	if err := os.WriteFile(filepath.Join(w.dir, "notes.txt"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := []string{"web.1 one", "web.1 two", "web.1 three"}
	expect(t, read(t, store, logs.Query{Last: -1}), want...)
	expect(t, read(t, store, logs.Query{Last: 3}), want...)
	compress(t, store, web1)
	expect(t, read(t, store, logs.Query{Last: 3}), want...)
}

func TestCorruptSegmentIsCounted(t *testing.T) {
	store := logs.Open(t.TempDir())
	w := newSlotLog(t, store, web1)
	for i := range 3 {
		w.rotate()
		w.write(numbered(i*2+1, i*2+2)...)
	}
	compress(t, store, web1)
	path := filepath.Join(w.dir, muster.Segment{Seq: 2, FirstLine: 3, Compressed: true}.Name())
	if err := os.WriteFile(path, []byte("not zstd at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, read(t, store, logs.Query{Last: -1}),
		"web.1 line 1", "web.1 line 2", "web.1 2 missed", "web.1 line 5", "web.1 line 6")
	expect(t, read(t, store, logs.Query{Last: 1}), "web.1 line 6")
}

func TestSegmentRemovedWhileReading(t *testing.T) {
	store := logs.Open(t.TempDir())
	w := newSlotLog(t, store, web1)
	for i := range 4 {
		w.rotate()
		w.write(numbered(i*2+1, i*2+2)...)
	}
	var got []string
	err := store.Read(context.Background(), logs.Query{Last: -1}, func(e logs.Entry) error {
		if len(got) == 0 {
			w.remove(1)
			w.remove(2)
			compress(t, store, web1)
		}
		got = append(got, show(e))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, got, "web.1 line 1", "web.1 line 2", "web.1 2 missed",
		"web.1 line 5", "web.1 line 6", "web.1 line 7", "web.1 line 8")
}

func TestReadEnds(t *testing.T) {
	store := logs.Open(t.TempDir())
	w := newSlotLog(t, store, web1)
	w.write(numbered(1, 3)...)
	stop := errors.New("enough")
	err := store.Read(context.Background(), logs.Query{Last: -1}, func(logs.Entry) error { return stop })
	if err != stop {
		t.Errorf("Read = %v, want emit's error", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err = store.Read(ctx, logs.Query{Last: -1}, func(logs.Entry) error { return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Read = %v, want the context's error", err)
	}
	n := 0
	err = store.Read(context.Background(), logs.Query{Last: -1}, func(logs.Entry) error {
		w.write("more")
		n++
		return nil
	})
	if err != nil || n != 3 {
		t.Errorf("a log that grows while it is read gave %d entries, error %v; want the 3 there were", n, err)
	}
}
