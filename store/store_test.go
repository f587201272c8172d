package store

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster"
)

// writerHome names the directory a re-executed test binary writes to.
const writerHome = "STORE_TEST_WRITER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerHome); dir != "" {
		write(dir)
	}
	os.Exit(m.Run())
}

// write writes until it is killed, and prints each number once it is stored.
func write(dir string) {
	s, err := Open(dir)
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	last, _ := s.LastEventID()
	for n := last + 1; ; n++ {
		err := errors.Join(
			s.PutApp("shop", n),
			s.PutSlots([]Slot{{Key: "shop/web.1", App: "shop", Data: []byte(strconv.FormatInt(n, 10))}}),
			s.AppendEvents([]muster.Event{{ID: n, At: time.Unix(n, 0), Message: strings.Repeat("x", int(n%500))}}),
		)
		if err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		fmt.Println(n)
	}
}

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// A writer that is killed leaves a sound file with everything it had said was
// stored.
func TestKilledWriter(t *testing.T) {
	dir := t.TempDir()
	for range 12 {
		stored := killAfter(t, dir, 1+rand.IntN(60))
		s := open(t, dir)
		last, err := s.LastEventID()
		if err != nil || last < stored {
			t.Fatalf("%d events were stored, %d are there: %v", stored, last, err)
		}
		var app, slot int64
		_ = s.Apps(func(_ string, data []byte) error { _, err := fmt.Sscan(string(data), &app); return err })
		_ = s.Slots(func(data []byte) error { _, err := fmt.Sscan(string(data), &slot); return err })
		if app < stored || slot < stored {
			t.Fatalf("%d was stored; the app is at %d, the slot at %d", stored, app, slot)
		}
		s.Close()
	}
}

// killAfter kills a writer after some lines and returns the last number it said.
func killAfter(t *testing.T, dir string, lines int) (last int64) {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), writerHome+"="+dir)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	scanner := bufio.NewScanner(out)
	for scanner.Scan() {
		n, err := strconv.ParseInt(scanner.Text(), 10, 64)
		if err != nil {
			_ = c.Process.Kill()
			_ = c.Wait()
			t.Fatalf("the writer says %q", scanner.Text())
		}
		last = n
		if lines--; lines == 0 {
			_ = c.Process.Kill()
		}
	}
	_ = c.Wait()
	return last
}

func TestRoundTrips(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	for name, order := range map[string]string{"b": "two", "a": "one", "c": "three"} {
		if err := s.PutApp(name, order); err != nil {
			t.Fatal(err)
		}
	}
	must(t, s.PutApp("a", "changed"))
	must(t, s.PutSlots([]Slot{{"a/web.1", "a", []byte(`1`)}, {"b/web.1", "b", []byte(`2`)}, {"a/web.2", "a", []byte(`3`)}}))
	must(t, s.PutSlots([]Slot{{"a/web.1", "a", []byte(`9`)}, {"a/web.2", "a", nil}}))
	must(t, s.DeleteApp("c"))
	must(t, s.PutMeta("keeper", "x"))
	s.Close()

	s = open(t, dir)
	want(t, []string{`a "changed"`, `b "two"`}, apps(t, s))
	want(t, []string{"9", "2"}, slots(t, s))
	must(t, s.DeleteApp("a"))
	want(t, []string{"2"}, slots(t, s))
	if v, err := s.Meta("keeper"); v != "x" || err != nil {
		t.Errorf("meta %q, %v", v, err)
	}
	if v, err := s.Meta("none"); v != "" || err != nil {
		t.Errorf("absent meta %q, %v", v, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, want, got []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func apps(t *testing.T, s *Store) (list []string) {
	must(t, s.Apps(func(name string, data []byte) error { list = append(list, name+" "+string(data)); return nil }))
	return list
}

func slots(t *testing.T, s *Store) (list []string) {
	must(t, s.Slots(func(data []byte) error { list = append(list, string(data)); return nil }))
	return list
}

func TestEventQueries(t *testing.T) {
	s := open(t, t.TempDir())
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var all []muster.Event
	for i := range 10 {
		all = append(all, muster.Event{ID: int64(i + 1), At: start.Add(time.Duration(i) * time.Hour), App: []string{"a", "b"}[i%2], Type: "web", Slot: i%3 + 1})
	}
	must(t, s.AppendEvents(all))
	cases := []struct {
		q    EventQuery
		want []int64
	}{
		{EventQuery{}, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
		{EventQuery{After: 8}, []int64{9, 10}},
		{EventQuery{Last: 2}, []int64{9, 10}},
		{EventQuery{Limit: 2}, []int64{1, 2}},
		{EventQuery{After: 3, Limit: 2}, []int64{4, 5}},
		{EventQuery{App: "a", Last: 2}, []int64{7, 9}},
		{EventQuery{App: "b", Slot: 1}, []int64{4, 10}},
		{EventQuery{Since: start.Add(8 * time.Hour)}, []int64{9, 10}},
		{EventQuery{App: "nobody"}, nil},
		{EventQuery{App: "a' OR 1=1 --"}, nil},
	}
	for _, c := range cases {
		events, err := s.Events(c.q)
		must(t, err)
		var got []int64
		for _, e := range events {
			got = append(got, e.ID)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%+v: %s", c.q, diff)
		}
	}
}

func TestEventsAreKeptUpToABound(t *testing.T) {
	s := open(t, t.TempDir())
	var batch []muster.Event
	for id := int64(1); id <= 6000; id++ {
		batch = append(batch, muster.Event{ID: id})
	}
	must(t, s.AppendEvents(batch))
	must(t, s.AppendEvents([]muster.Event{{ID: keepEvents + 5000}}))
	oldest, err := s.Events(EventQuery{Limit: 1})
	must(t, err)
	if first := oldest[0].ID; first != 5001 {
		t.Errorf("the oldest event is %d of %d", first, keepEvents+5000)
	}
}

func TestNoEventsAreNoEvents(t *testing.T) {
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("panic: %v", r)
		}
	}()
	must(t, open(t, t.TempDir()).AppendEvents(nil))
}

func TestOnlyTheOwnerReads(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	dir := t.TempDir()
	s := open(t, dir)
	must(t, s.PutApp("a", 1))
	files, _ := filepath.Glob(filepath.Join(dir, "muster.db*"))
	if len(files) < 2 {
		t.Errorf("only %v: no write-ahead log?", files)
	}
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f, info.Mode(), err)
		}
	}
}

func TestDamagedFilesAreRefusedAndLeftAlone(t *testing.T) {
	garbage := []byte(strings.Repeat("this is no database ", 1000))
	cases := map[string]func(sound []byte) []byte{
		"garbage":   func([]byte) []byte { return garbage },
		"cut short": func(b []byte) []byte { return b[:len(b)-len(b)/3] },
		"one page": func(b []byte) []byte {
			copy(b[4096:8192], garbage)
			return b
		},
	}
	for name, damage := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			for i := range 300 {
				must(t, s.PutApp(fmt.Sprint("app", i), strings.Repeat("x", 500)))
			}
			s.Close()
			path := filepath.Join(dir, "muster.db")
			sound, err := os.ReadFile(path)
			must(t, err)
			damaged := damage(sound)
			must(t, os.WriteFile(path, damaged, 0o600))
			_, err = Open(dir)
			if err == nil {
				t.Fatal("it is opened")
			}
			if text := err.Error(); !strings.Contains(text, "is damaged") || !strings.Contains(text, "mv "+path) {
				t.Errorf("no way out: %v", err)
			}
			if after, _ := os.ReadFile(path); string(after) != string(damaged) {
				t.Error("the damaged file was changed")
			}
		})
	}
}

func TestANewerMustersFileIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	must(t, s.exec(s.durable, fmt.Sprintf("PRAGMA user_version = %d", schemaVersion+1)))
	s.Close()
	_, err := Open(dir)
	if err == nil || !strings.Contains(err.Error(), "newer Muster") {
		t.Fatalf("err = %v", err)
	}
	if !strings.Contains(err.Error(), "; try ") {
		t.Errorf("no way out: %v", err)
	}
}

func TestAReadOnlyDirectory(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may write everywhere")
	}
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o500))
	defer os.Chmod(dir, 0o700)
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "; try ") {
		t.Errorf("err = %v", err)
	}
}

func TestTwoStoresOfOneFile(t *testing.T) {
	dir := t.TempDir()
	a, b := open(t, dir), open(t, dir)
	must(t, a.PutApp("x", 1))
	must(t, b.PutApp("y", 2))
	want(t, []string{"x 1", "y 2"}, apps(t, a))
}
