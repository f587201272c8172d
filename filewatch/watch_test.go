package filewatch

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds a wait for something that must come.
const patience = 10 * time.Second

// A watched directory tells its changes on a channel.
type watched struct {
	*testing.T
	dir     string
	changes chan string
	pause   time.Duration // longer than the delay: only quiet makes it speak
}

func watchDir(t *testing.T, o Options, files ...string) *watched {
	t.Helper()
	w := &watched{t, t.TempDir(), make(chan string, 1000), o.Delay + 200*time.Millisecond}
	for _, f := range files {
		w.write(f)
	}
	o.Dir = w.dir
	if o.Delay == 0 {
		o.Delay = 10 * time.Millisecond
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := Watch(ctx, o, func(path string) { w.changes <- path }); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); running.Wait() })
	return w
}

func (w *watched) path(name string) string { return filepath.Join(w.dir, name) }

func (w *watched) write(name string) {
	w.Helper()
	if err := os.MkdirAll(filepath.Dir(w.path(name)), 0o755); err != nil {
		w.Fatal(err)
	}
	if err := os.WriteFile(w.path(name), []byte(time.Now().String()), 0o644); err != nil {
		w.Fatal(err)
	}
}

// until does something again and again until it is noticed: nobody tells when
// watching has begun.
func (w *watched) until(what string, do func()) string {
	w.Helper()
	deadline := time.After(patience)
	for {
		do()
		select {
		case path := <-w.changes:
			return path
		case <-time.After(w.pause):
		case <-deadline:
			w.Fatalf("%s was not noticed", what)
		}
	}
}

// begun returns once changes are noticed, and all told ones are read.
func (w *watched) begun(file string) {
	w.Helper()
	w.until("a first change", func() { w.write(file) })
	w.drain()
}

func (w *watched) drain() {
	for {
		select {
		case <-w.changes:
		case <-time.After(200 * time.Millisecond):
			return
		}
	}
}

func (w *watched) wantChange(what string) {
	w.Helper()
	select {
	case <-w.changes:
	case <-time.After(patience):
		w.Fatalf("%s was not noticed", what)
	}
}

func TestChangesAreNoticed(t *testing.T) {
	w := watchDir(t, Options{}, "app.js", "old.js")
	w.begun("app.js")
	steps := []struct {
		what string
		do   func() error
	}{
		{"a new file", func() error { return os.WriteFile(w.path("new.js"), nil, 0o644) }},
		{"a rename", func() error { return os.Rename(w.path("new.js"), w.path("newer.js")) }},
		{"a removal", func() error { return os.Remove(w.path("old.js")) }},
		{"a replacement", func() error { return os.Rename(w.path("newer.js"), w.path("app.js")) }},
		{"a new directory", func() error { return os.MkdirAll(w.path("lib/deep"), 0o755) }},
		{"a file in it", func() error { return os.WriteFile(w.path("lib/deep/x.js"), nil, 0o644) }},
	}
	for _, s := range steps {
		if err := s.do(); err != nil {
			t.Fatal(err)
		}
		w.wantChange(s.what)
		w.drain()
	}
}

// Most editors save by renaming a new file over the old one.
func TestAWatchedFileThatIsReplacedAgainAndAgain(t *testing.T) {
	w := watchDir(t, Options{Paths: []string{"app.js"}}, "app.js")
	w.begun("app.js")
	for _, what := range []string{"the first save", "the second save", "the third save"} {
		w.write("saved.tmp")
		if err := os.Rename(w.path("saved.tmp"), w.path("app.js")); err != nil {
			t.Fatal(err)
		}
		select {
		case <-w.changes:
		case <-time.After(patience):
			t.Fatalf("%s was not noticed", what)
		}
		w.drain()
	}
}

func TestWhatIsIgnored(t *testing.T) {
	w := watchDir(t, Options{Ignore: []string{"build/", "*.md", "./gen/**"}}, "app.js", "build/x", "gen/x", ".git/x", "node_modules/m/x.js", "sub/node_modules/m/x.js", "log/x")
	w.begun("app.js")
	for _, name := range []string{"build/y", "gen/a/b", "README.md", ".git/index", ".env.swp", "node_modules/m/y.js", "sub/node_modules/m/y.js", "a.log", "x.pid", "app.js~", ".app.js.swp", "log/y"} {
		w.write(name)
	}
	// A change that counts comes after them: were one noticed, it would have come first.
	got := w.until("a change that counts", func() { w.write("lib.js") })
	if got != w.path("lib.js") {
		t.Errorf("%s was noticed", got)
	}
}

func TestManyChangesAreOne(t *testing.T) {
	w := watchDir(t, Options{Delay: time.Second}, "app.js")
	w.begun("app.js")
	for range 200 {
		w.write("app.js")
	}
	w.wantChange("a burst")
	select {
	case path := <-w.changes:
		t.Errorf("%s was told a second time", path)
	case <-time.After(1500 * time.Millisecond):
	}
}

func TestAMissingPathIsAnError(t *testing.T) {
	if err := Watch(t.Context(), Options{Dir: t.TempDir(), Paths: []string{"none"}}, nil); err == nil {
		t.Error("no error")
	}
}
