package logs

import (
	"context"
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
	if ctx.Err() != nil {
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
		if more {
			f.wake(f.watch.take())
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-f.watch.ready:
			f.wake(f.watch.take())
		case <-tick.C:
			f.wake(everywhere)
		}
		if err := f.discover(); err != nil {
			return err
		}
	}
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
	return more, nil
}

// turn emits some of what one slot has. The slot stays due unless that was
// all.
func (f *follower) turn(ctx context.Context, r *reader) error {
	missed, ok, err := r.keepUp()
	if err == nil && ok {
		err = f.emit(missed)
	}
	for start := r.cursor.records.off; err == nil; {
		if read := r.cursor.records.off - start; read < 0 || read > turnBytes {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		var e Entry
		if e, err = r.next(); err == nil {
			err = f.emit(e)
		}
	}
	if err != io.EOF {
		return err
	}
	r.due = false
	r.cursor.records.rest()
	if f.query.Grep != nil {
		return nil
	}
	return emitUnfinished(r, f.emit)
}

// wake makes the slots due whose directory saw changes.
func (f *follower) wake(changed changes) {
	for _, r := range f.readers {
		r.due = r.due || changed.in(f.store.Dir(r.cursor.slot))
	}
}

// discover begins to follow slots that were not there before.
func (f *follower) discover() error {
	slots, err := f.slots()
	if err != nil {
		return err
	}
	for _, slot := range slots {
		if slices.ContainsFunc(f.readers, func(r *reader) bool { return r.cursor.slot == slot }) {
			continue
		}
		r, err := f.store.reader(f.query, slot, position{}, position{})
		if err != nil {
			return err
		}
		r.goLive()
		f.readers = append(f.readers, r)
	}
	return nil
}
