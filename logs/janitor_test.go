package logs_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster"
	"muster/logs"
)

func tidy(t *testing.T, j logs.Janitor, now time.Time) {
	t.Helper()
	if err := j.Tidy(context.Background(), now); err != nil {
		t.Fatal(err)
	}
}

func policy(l muster.Log) func(string, string) muster.Log {
	return func(string, string) muster.Log { return l }
}

// filled writes segments of n lines each; the last one is the newest.
func filled(t *testing.T, store *logs.Store, slot muster.Slot, segments, n int) *slotLog {
	w := newSlotLog(t, store, slot)
	for range segments {
		w.rotate()
		for range n {
			w.write(strings.Repeat("the same again ", 4))
		}
	}
	return w
}

func TestCompressLeavesTheNewest(t *testing.T) {
	store := logs.Open(t.TempDir())
	w := filled(t, store, web1, 3, 100)
	left := filepath.Join(w.dir, "0000000001-000000000001.log.zst.tmp")
	if err := os.WriteFile(left, []byte("cut short"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := read(t, store, logs.Query{Last: -1})
	tidy(t, logs.Janitor{Store: store, Log: policy(muster.Log{Compress: true})}, epoch)
	expect(t, w.names(), "0000000001-000000000001.log.zst", "0000000002-000000000101.log.zst", "0000000003-000000000201.log")
	expect(t, read(t, store, logs.Query{Last: -1}), before...)
}

func TestOtherToolsReadCompressedSegments(t *testing.T) {
	zstd, err := exec.LookPath("zstd")
	if err != nil {
		t.Skip("zstd is not installed")
	}
	store := logs.Open(t.TempDir())
	w := filled(t, store, web1, 2, 10_000)
	path := filepath.Join(w.dir, "0000000001-000000000001.log")
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	compress(t, store, web1)
	got, err := exec.Command(zstd, "-dc", path+".zst").Output()
	if err != nil || string(got) != string(want) {
		t.Errorf("zstd -dc gave %d bytes, error %v; want the %d there were", len(got), err, len(want))
	}
}

func TestCompressionCutShortIsFinished(t *testing.T) {
	store := logs.Open(t.TempDir())
	w := filled(t, store, web1, 2, 10)
	path := filepath.Join(w.dir, "0000000001-000000000001.log")
	plain, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	compress(t, store, web1)
	if err := os.WriteFile(path, plain, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := len(read(t, store, logs.Query{Last: -1})); got != 20 {
		t.Errorf("%d lines while both files exist, want 20", got)
	}
	compress(t, store, web1)
	expect(t, w.names(), "0000000001-000000000001.log.zst", "0000000002-000000000011.log")
}

func TestRetention(t *testing.T) {
	const segment = 10 * 101 // bytes: ten records of 40 and 60
	for _, test := range []struct {
		name    string
		janitor logs.Janitor
		want    map[muster.Slot]int // segments left
	}{
		{"no bounds", logs.Janitor{}, map[muster.Slot]int{web1: 5, web2: 5, worker1: 1}},
		{"count", logs.Janitor{Log: policy(muster.Log{Keep: 2})}, map[muster.Slot]int{web1: 2, web2: 2, worker1: 1}},
		{"age", logs.Janitor{MaxAge: 150 * time.Minute}, map[muster.Slot]int{web1: 2, web2: 2, worker1: 1}},
		{"bytes of a type", logs.Janitor{Log: policy(muster.Log{MaxTotal: 5 * segment})}, map[muster.Slot]int{web1: 2, web2: 3, worker1: 1}},
		{"bytes of an app", logs.Janitor{AppBytes: 4 * segment}, map[muster.Slot]int{web1: 1, web2: 2, worker1: 1}},
		{"never the newest", logs.Janitor{AppBytes: 1, MaxAge: 1}, map[muster.Slot]int{web1: 1, web2: 1, worker1: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			store := logs.Open(t.TempDir())
			writers := map[muster.Slot]*slotLog{
				web1:    filled(t, store, web1, 5, 10),
				web2:    filled(t, store, web2, 5, 10),
				worker1: filled(t, store, worker1, 1, 10),
			}
			for slot, w := range writers {
				age(t, w, slot)
			}
			test.janitor.Store = store
			if test.janitor.Log == nil {
				test.janitor.Log = policy(muster.Log{})
			}
			tidy(t, test.janitor, epoch.Add(5*time.Hour))
			for slot, w := range writers {
				if names := w.names(); len(names) != test.want[slot] {
					t.Errorf("%s keeps %d segments, want %d: %v", slot, len(names), test.want[slot], names)
				}
			}
		})
	}
}

// age dates the segments of a slot an hour apart; web.2's are a bit younger.
func age(t *testing.T, w *slotLog, slot muster.Slot) {
	for i, name := range w.names() {
		at := epoch.Add(time.Duration(i)*time.Hour + time.Duration(slot.N)*time.Minute)
		if err := os.Chtimes(filepath.Join(w.dir, name), at, at); err != nil {
			t.Fatal(err)
		}
	}
}

func TestJanitorRunsUntilItsContextEnds(t *testing.T) {
	store := logs.Open(t.TempDir())
	w := filled(t, store, web1, 2, 10)
	ctx, cancel := context.WithCancel(context.Background())
	asked := func(app, typ string) muster.Log {
		cancel()
		return muster.Log{Keep: 1}
	}
	j := logs.Janitor{Store: store, Log: asked, Failed: func(err error) { t.Error(err) }}
	if err := j.Run(ctx); err != nil {
		t.Fatal(err)
	}
	expect(t, w.names(), "0000000002-000000000011.log")
}
