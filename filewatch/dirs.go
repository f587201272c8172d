package filewatch

import (
	"errors"

	"github.com/fsnotify/fsnotify"
)

// Dirs watches single directories, without what lies below them.
type Dirs struct{ watcher *fsnotify.Watcher }

// NewDirs fails where the system has no watch to give.
func NewDirs() (*Dirs, error) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	return &Dirs{watcher}, nil
}

// Add watches a directory, again when it was removed and made anew.
func (d *Dirs) Add(dir string) error { return d.watcher.Add(dir) }

// Run calls changed with the path of whatever changes, and lost when more
// happened than could be told, until Close.
func (d *Dirs) Run(changed func(path string), lost func()) {
	for {
		select {
		case event, ok := <-d.watcher.Events:
			if !ok {
				return
			}
			changed(event.Name)
		case err, ok := <-d.watcher.Errors:
			if !ok {
				return
			}
			if errors.Is(err, fsnotify.ErrEventOverflow) {
				lost()
			}
		}
	}
}

// Close ends Run.
func (d *Dirs) Close() error { return d.watcher.Close() }
