package logs

import (
	"context"
	"io"
	"slices"
	"time"

	"muster"
)

const (
	firstWindow = 32 << 10  // bytes; enough for a hundred lines
	maxWindow   = 512 << 10 // bytes; bounds the marks in memory
)

// A mark is where a line that a query wants ends.
type mark struct {
	at    time.Time
	place position
}

// A tail finds a slot's lines from the newest backwards. It takes one window
// of the log after the other and reads each forwards, so that pieces are
// joined and filters applied by the same code that will give the lines out.
type tail struct {
	store  *Store
	query  *Query
	slot   muster.Slot
	edge   position // what is not before it has been looked at
	window int64    // bytes, of the next window
	marks  []mark   // of the current window, oldest first
	done   bool
	// ends is set while the window is the log's last: an unfinished line
	// counts there.
	ends bool
}

func (s *Store) tail(q *Query, slot muster.Slot, end position) *tail {
	return &tail{store: s, query: q, slot: slot, edge: end, window: firstWindow, ends: true}
}

// newest returns the newest mark not yet taken.
func (t *tail) newest(ctx context.Context) (m mark, ok bool, err error) {
	for len(t.marks) == 0 {
		if t.done {
			return mark{}, false, nil
		}
		if err := ctx.Err(); err != nil {
			return mark{}, false, err
		}
		if err := t.load(); err != nil {
			return mark{}, false, err
		}
	}
	return t.marks[len(t.marks)-1], true, nil
}

// take removes the newest mark.
func (t *tail) take() { t.marks = t.marks[:len(t.marks)-1] }

// load looks at the window before the edge.
func (t *tail) load() error {
	start, err := t.store.before(t.slot, t.edge, t.window)
	if err != nil || start == t.edge {
		t.done = true
		return err
	}
	r, err := t.store.reader(t.query, t.slot, start, t.edge)
	if err != nil {
		return err
	}
	defer r.close()
	if err := t.scan(r); err != nil {
		return err
	}
	first, err := t.store.headAt(t.slot, start)
	t.done = err == nil && !first.At.IsZero() && first.At.Before(t.query.Since)
	t.edge, t.window, t.ends = start, min(2*t.window, maxWindow), false
	return ignoreGone(err)
}

// scan collects the window's marks.
func (t *tail) scan(r *reader) error {
	for {
		e, err := r.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if e.Missed == 0 {
			t.marks = append(t.marks, mark{e.At, r.place})
		}
	}
	for t.ends {
		e, ok := r.unfinished()
		if !ok {
			break
		}
		t.marks = append(t.marks, mark{e.At, r.place})
	}
	slices.SortStableFunc(t.marks, func(a, b mark) int {
		if a.place.before(b.place) {
			return -1
		}
		return 1
	})
	return nil
}
