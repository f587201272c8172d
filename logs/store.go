// Package logs reads what processes wrote: history, following, and keeping the
// files on disk within bounds. The keeper's pump writes the records; this
// package never does, and never needs to be told of a write.
//
// On disk a slot is a directory, ROOT/APP/web.1, of numbered segments
// (muster.Segment) full of records (muster.Line). The keeper appends to the
// newest segment, starts the next one, and removes the oldest without asking,
// so whatever is listed here may be gone when it is opened.
//
//	store.go     where logs are, which slots have any
//	query.go     what to read, and what comes out
//	content.go   one segment as bytes at offsets, compressed or not
//	packed.go    compressed segments with random access
//	records.go   bytes -> records
//	cursor.go    a place in a slot's segments that moves on through them
//	joiner.go    pieces -> lines
//	reader.go    one slot's records -> entries
//	backward.go  places before a place
//	tail.go      a slot's last lines, newest first
//	plan.go      where the history a query asks for begins and ends
//	merge.go     several slots as one, by time
//	read.go      history
//	follow.go    history, and then what is appended
//	watch.go     being told of appends while following
//	compress.go  segments no longer written to -> packed segments
//	retain.go    removing the oldest
//	janitor.go   the last two, for every slot, every minute
package logs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"

	"muster"
)

// A Store is a tree of logs. Its methods may be called at the same time.
type Store struct {
	root string
	// decoder is shared by all readers and made when the first compressed
	// segment is met: most of a daemon's life nobody reads one.
	decoder func() (*zstd.Decoder, error)
}

// Open returns the logs below root. The directory need not exist yet.
func Open(root string) *Store {
	return &Store{root: root, decoder: sync.OnceValues(newDecoder)}
}

// Dir is the directory of a slot's segments. The keeper makes it with the
// slot's first line.
func (s *Store) Dir(slot muster.Slot) string {
	return filepath.Join(s.root, slot.App, slot.Name())
}

// Slots returns the slots that have a log and that q asks for, ordered by app,
// type and number.
func (s *Store) Slots(q Query) ([]muster.Slot, error) {
	apps := []string{q.App}
	if q.App == "" {
		var err error
		if apps, err = subdirectories(s.root); err != nil {
			return nil, err
		}
	} else if q.App != filepath.Base(q.App) || q.App == "." || q.App == ".." {
		return nil, nil // a name that leads elsewhere is no app's
	}
	var slots []muster.Slot
	for _, app := range apps {
		names, err := subdirectories(filepath.Join(s.root, app))
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			typ, n, ok := muster.ParseSlotName(name)
			slot := muster.Slot{App: app, Type: typ, N: n}
			if ok && slot.Name() == name && (q.Match == nil || q.Match(slot)) {
				slots = append(slots, slot)
			}
		}
	}
	slices.SortFunc(slots, compareSlots)
	return slots, nil
}

// segments lists a slot's segments, oldest first. One that is just being
// compressed is listed once.
func (s *Store) segments(slot muster.Slot) ([]muster.Segment, error) {
	entries, err := readDir(s.Dir(slot))
	if err != nil {
		return nil, err
	}
	var segments []muster.Segment
	for _, e := range entries {
		if segment, ok := muster.ParseSegmentName(e.Name()); ok && segment.Seq > 0 {
			segments = append(segments, segment)
		}
	}
	slices.SortStableFunc(segments, func(a, b muster.Segment) int { return compare(a.Seq, b.Seq) })
	return slices.CompactFunc(segments, func(a, b muster.Segment) bool { return a.Seq == b.Seq }), nil
}

func subdirectories(dir string) ([]string, error) {
	entries, err := readDir(dir)
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// readDir is os.ReadDir, for which what does not exist is empty.
func readDir(dir string) ([]os.DirEntry, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return entries, nil
	}
	return entries, err
}
