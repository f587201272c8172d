package logs

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"muster"
)

// A Retention bounds what is kept. Zero fields do not bound. The newest
// segment of a slot is never removed, whatever the bounds.
type Retention struct {
	// Before removes segments last written to before it.
	Before time.Time
	// AppBytes is the most an app's logs may take on disk.
	AppBytes muster.Bytes
	// Log gives a process type's Keep and MaxTotal.
	Log func(app, typ string) muster.Log
}

// stored is a segment file on disk.
type stored struct {
	path    string
	size    muster.Bytes
	written time.Time
	newest  bool // of its slot
	removed bool
}

// Retain removes an app's oldest segments until it is within bounds.
func (s *Store) Retain(app string, bounds Retention) error {
	slots, err := s.Slots(Query{App: app})
	if err != nil {
		return err
	}
	var all []*stored
	byType := map[string][]*stored{}
	for _, slot := range slots {
		files, listErr := s.stored(slot)
		err = errors.Join(err, listErr)
		limits := bounds.Log(app, slot.Type)
		for i, file := range files {
			surplus := limits.Keep > 0 && i < len(files)-limits.Keep
			if surplus || file.written.Before(bounds.Before) {
				err = errors.Join(err, file.remove())
			}
		}
		all = append(all, files...)
		byType[slot.Type] = append(byType[slot.Type], files...)
	}
	for typ, files := range byType {
		err = errors.Join(err, shrink(files, bounds.Log(app, typ).MaxTotal))
	}
	return errors.Join(err, shrink(all, bounds.AppBytes))
}

// stored lists a slot's segment files, oldest first.
func (s *Store) stored(slot muster.Slot) ([]*stored, error) {
	segments, err := s.segments(slot)
	var files []*stored
	for i, segment := range segments {
		path := filepath.Join(s.Dir(slot), segment.Name())
		info, err := os.Stat(path)
		if err != nil {
			continue // the keeper was first
		}
		files = append(files, &stored{
			path:    path,
			size:    muster.Bytes(info.Size()),
			written: info.ModTime(),
			newest:  i == len(segments)-1,
		})
	}
	return files, err
}

// shrink removes the oldest of files until they are within limit; 0 is none.
func shrink(files []*stored, limit muster.Bytes) (err error) {
	total := muster.Bytes(0)
	for _, file := range files {
		if !file.removed {
			total += file.size
		}
	}
	// Of one slot's files written at the same time the earlier stays earlier.
	oldest := slices.Clone(files)
	slices.SortStableFunc(oldest, func(a, b *stored) int {
		return cmp.Compare(a.written.UnixNano(), b.written.UnixNano())
	})
	for _, file := range oldest {
		if limit <= 0 || total <= limit {
			break
		}
		if !file.removed && !file.newest {
			total -= file.size
			err = errors.Join(err, file.remove())
		}
	}
	return err
}

func (f *stored) remove() error {
	if f.newest || f.removed {
		return nil
	}
	f.removed = true
	return remove(f.path)
}
