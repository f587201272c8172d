package logs

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"muster"
)

const (
	// safetyNet is how often a follower looks for itself, should the file
	// system have told it nothing.
	safetyNet = time.Second
	// turnBytes is about how much of one slot is read before the next one's
	// turn, and before the follower looks whether it fell behind.
	turnBytes = 64 << 10
)

// Follow emits what Read would and then what is appended, until ctx ends, for
// which it returns nil; otherwise it returns emit's error. New slots the query
// matches are followed from their first line on. Lines of one slot stay in
// order; slots are merged by time in the history and as they come afterwards.
//
// An unfinished line is emitted as it is, Partial, when nothing follows it yet.
//
// emit may take as long as it likes: nothing is queued meanwhile. A follower
// that fell more than a whole segment behind goes on at the newest segment,
// and emits an Entry that says how many lines it Missed.
func (s *Store) Follow(ctx context.Context, q Query, emit func(Entry) error) error {
	q.Until = time.Time{}
	f := &follower{store: s, query: &q, emit: emit, watch: newWatch()}
	defer f.watch.close()
	defer func() { closeAll(f.readers) }()
	err := f.history(ctx)
	if err == nil {
		err = f.live(ctx)
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// A follower is one call of Follow. All of it but the watch is its caller's
// goroutine.
type follower struct {
	store   *Store
	query   *Query
	emit    func(Entry) error
	watch   *watch
	readers []*reader // one a slot
}

// history emits what there is. The watch is set up first, so that what is
// appended meanwhile is known.
func (f *follower) history(ctx context.Context) error {
	slots, err := f.slots()
	if err != nil {
		return err
	}
	stretches, err := f.store.plan(ctx, f.query, slots)
	if err != nil {
		return err
	}
	if f.readers, err = f.store.readers(f.query, stretches); err != nil {
		return err
	}
	if err := merge(ctx, f.readers, f.emit); err != nil {
		return err
	}
	for _, r := range f.readers {
		r.goLive()
	}
	return nil
}

// slots lists what there is to follow, and watches it and where more could
// appear.
func (f *follower) slots() ([]muster.Slot, error) {
	f.watch.tree(f.store, f.query.App)
	slots, err := f.store.Slots(*f.query)
	for _, slot := range slots {
		f.watch.add(f.store.Dir(slot))
	}
	return slots, err
}

func (f *follower) live(ctx context.Context) error {
	tick := time.NewTicker(safetyNet)
	defer tick.Stop()
	for {
		more, err := f.round(ctx)
		if err != nil {
			return err
		}
		if f.wake(f.wait(ctx, tick.C, more)) {
			if err := f.discover(); err != nil {
				return err
			}
		}
	}
}

// wait returns what changed; at once when there is more to do anyway. When ctx
// has ended the next round says so.
func (f *follower) wait(ctx context.Context, tick <-chan time.Time, busy bool) changes {
	var now chan struct{}
	if busy {
		now = make(chan struct{})
		close(now)
	}
	select {
	case <-tick:
		return everywhere
	case <-ctx.Done():
	case <-f.watch.ready:
	case <-now:
	}
	return f.watch.take()
}

// wake makes the slots due whose directory changed. It reports whether
// something else did, which may be a new slot.
func (f *follower) wake(changed changes) (discover bool) {
	known := 0
	for _, r := range f.readers {
		if changed.in(r.dir) {
			r.due = true
			known++
		}
	}
	return changed == nil || known < len(changed)
}

// round gives every slot that may have something new its turn. more is set
// when one of them was not finished with.
func (f *follower) round(ctx context.Context) (more bool, err error) {
	for _, r := range f.readers {
		if !r.due {
			continue
		}
		if err := f.turn(ctx, r); err != nil {
			return false, err
		}
		more = more || r.due
	}
	f.readers = slices.DeleteFunc(f.readers, (*reader).finished)
	return more, ctx.Err()
}

// turn emits some of what one slot has. The slot stays due unless that was
// all.
func (f *follower) turn(ctx context.Context, r *reader) error {
	missed, ok, err := r.keepUp()
	if err == nil && ok {
		err = f.emit(missed)
	}
	if err != nil {
		return err
	}
	start := r.cursor.records.off
	for start <= r.cursor.records.off && r.cursor.records.off < start+turnBytes {
		if err := ctx.Err(); err != nil {
			return err
		}
		e, err := r.next()
		if err == io.EOF {
			return f.rest(r)
		}
		if err != nil {
			return err
		}
		if err := f.emit(e); err != nil {
			return err
		}
	}
	return nil
}

// rest is the end of what a slot has for now.
func (f *follower) rest(r *reader) error {
	r.due = false
	r.cursor.records.rest()
	if f.query.Grep != nil {
		return nil // which is about whole lines
	}
	return emitUnfinished(r, f.emit)
}

// discover begins to follow slots that were not there before, from their first
// line, and marks those whose directory has gone.
func (f *follower) discover() error {
	slots, err := f.slots()
	if err != nil {
		return err
	}
	unknown := make(map[muster.Slot]bool, len(slots))
	for _, slot := range slots {
		unknown[slot] = true
	}
	for _, r := range f.readers {
		r.gone = !unknown[r.cursor.slot]
		delete(unknown, r.cursor.slot)
	}
	for slot := range unknown {
		r, err := f.store.reader(f.query, slot, position{}, position{})
		if err != nil {
			return err
		}
		r.goLive()
		f.readers = append(f.readers, r)
	}
	return nil
}
