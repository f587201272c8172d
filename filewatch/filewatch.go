// Package filewatch tells that files under some directories changed. It wraps
// fsnotify, which watches single directories, with what restarting programs
// needs: whole trees, exceptions, and quiet before it speaks.
package filewatch

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/fsnotify/fsnotify"

	"muster"
)

// Options say what to watch.
type Options struct {
	Dir    string   // relative paths and globs start here
	Paths  []string // files or directories; none means Dir
	Ignore []string // globs relative to Dir; "**" crosses directories
	Delay  time.Duration
}

// OptionsOf are what a process type asks for.
func OptionsOf(t muster.ProcessType) Options {
	return Options{Dir: t.Cwd, Paths: t.Watch.Paths, Ignore: t.Watch.Ignore, Delay: time.Duration(t.Watch.Delay)}
}

// always are left out everywhere: tools write there on their own.
var always = []string{"**/.*", "**/.*/**", "**/node_modules/**", "**/node_modules", "**/__pycache__/**", "**/*.log", "**/*.pid", "**/*~", "**/*.sw?", "**/tmp/**", "**/log/**", "**/logs/**"}

// Watch calls changed with the path of one changed file once nothing more has
// changed for Delay, again and again until ctx ends.
func Watch(ctx context.Context, o Options, changed func(path string)) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer watcher.Close()
	w := &watch{options: o, watcher: watcher, trees: map[string]bool{}, files: map[string]bool{}}
	for _, path := range w.roots() {
		if err := w.add(path); err != nil {
			return err
		}
	}
	return w.run(ctx, changed)
}

type watch struct {
	options Options
	watcher *fsnotify.Watcher
	trees   map[string]bool // directories of which everything matters
	files   map[string]bool // single files that matter
}

func (w *watch) roots() []string {
	if len(w.options.Paths) == 0 {
		return []string{w.options.Dir}
	}
	var roots []string
	for _, path := range w.options.Paths {
		if !filepath.IsAbs(path) {
			path = filepath.Join(w.options.Dir, path)
		}
		roots = append(roots, path)
	}
	return roots
}

// add watches a file, or a directory with everything below it. A file is
// watched through its directory: editors put a new one in its place.
func (w *watch) add(root string) error {
	info, err := os.Stat(root)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		w.files[filepath.Clean(root)] = true
		return w.watcher.Add(filepath.Dir(root))
	}
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil && path == root:
			return err
		case err != nil:
			return nil // gone meanwhile
		case path != root && w.ignored(path):
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case entry.IsDir() || path == root:
			w.trees[path] = true
			return w.watcher.Add(path)
		}
		return nil
	})
}

func (w *watch) ignored(path string) bool {
	rel, err := filepath.Rel(w.options.Dir, path)
	if err != nil || strings.HasPrefix(rel, "..") {
		rel = filepath.Base(path)
	}
	for _, globs := range [][]string{always, w.options.Ignore} {
		for _, glob := range globs {
			if ok, _ := doublestar.Match(strings.TrimPrefix(glob, "./"), rel); ok {
				return true
			}
			if ok, _ := doublestar.Match(strings.TrimSuffix(strings.TrimPrefix(glob, "./"), "/")+"/**", rel); ok {
				return true
			}
		}
	}
	return false
}

func (w *watch) run(ctx context.Context, changed func(string)) error {
	var quiet <-chan time.Time
	var last string
	for {
		select {
		case <-ctx.Done():
			return nil
		case event, ok := <-w.watcher.Events:
			if !ok {
				return nil
			}
			if w.matters(event) {
				last, quiet = event.Name, time.After(w.options.Delay)
			}
		case <-quiet:
			quiet = nil
			changed(last)
		case err, ok := <-w.watcher.Errors:
			if !ok {
				return nil
			}
			if err != nil {
				last, quiet = w.options.Dir, time.After(w.options.Delay) // events were lost: assume the worst
			}
		}
	}
}

// matters filters an event, and begins to watch directories that appear.
func (w *watch) matters(event fsnotify.Event) bool {
	if event.Op == fsnotify.Chmod {
		return false
	}
	if !w.files[event.Name] && (!w.trees[filepath.Dir(event.Name)] || w.ignored(event.Name)) {
		return false
	}
	if event.Has(fsnotify.Create) {
		if info, err := os.Stat(event.Name); err == nil && info.IsDir() {
			_ = w.add(event.Name)
		}
	}
	return true
}
