package logs

import (
	"path/filepath"
	"sync"

	"muster"
	"muster/filewatch"
)

// changes are the directories in which something happened; nil is all of them.
type changes map[string]struct{}

var everywhere changes

func (c changes) in(dir string) bool {
	_, changed := c[dir]
	return changed || c == nil
}

// A watch collects which directories changed until somebody asks. It holds one
// name a directory, however much happens in it. Where the system has no watch
// to give, it stays silent, and its owner's ticker does the work.
type watch struct {
	ready chan struct{} // has a token when there are changes

	notify *filewatch.Dirs // nil when there is none
	ended  chan struct{}

	mu      sync.Mutex // guards what follows
	changed changes
	all     bool
}

func newWatch() *watch {
	w := &watch{ready: make(chan struct{}, 1), ended: make(chan struct{}), changed: changes{}}
	notify, err := filewatch.NewDirs()
	if err != nil {
		close(w.ended)
		return w
	}
	w.notify = notify
	go w.collect()
	return w
}

// tree watches where slots of an app, or of all when app is "", can appear.
func (w *watch) tree(s *Store, app string) {
	w.add(s.root)
	if app != "" {
		w.add(filepath.Join(s.root, app))
		return
	}
	apps, _ := subdirectories(s.root)
	for _, app := range apps {
		w.add(filepath.Join(s.root, app))
	}
}

// add watches a directory, again when it was removed and made anew. It is no
// error when it does not exist.
func (w *watch) add(dir string) {
	if w.notify != nil {
		_ = w.notify.Add(dir)
	}
}

func (w *watch) collect() {
	defer close(w.ended)
	w.notify.Run(w.mark, w.markAll)
}

// mark remembers the directory something happened in, or to.
func (w *watch) mark(name string) {
	w.mu.Lock()
	w.changed[filepath.Dir(name)] = struct{}{}
	if _, _, isSlot := muster.ParseSlotName(filepath.Base(name)); isSlot {
		w.changed[name] = struct{}{}
	}
	w.mu.Unlock()
	w.signal()
}

func (w *watch) markAll() {
	w.mu.Lock()
	w.all = true
	w.mu.Unlock()
	w.signal()
}

func (w *watch) signal() {
	select {
	case w.ready <- struct{}{}:
	default:
	}
}

// take returns what changed since it was asked last.
func (w *watch) take() changes {
	w.mu.Lock()
	defer w.mu.Unlock()
	changed := w.changed
	if w.all {
		changed = everywhere
	}
	w.changed, w.all = changes{}, false
	return changed
}

func (w *watch) close() {
	if w.notify != nil {
		_ = w.notify.Close()
	}
	<-w.ended
}
