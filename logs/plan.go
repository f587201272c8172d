package logs

import (
	"context"

	"muster"
)

// A stretch is the part of a slot's log that holds the history a query asks
// for. It may hold more at its beginning: filters are applied on reading.
type stretch struct {
	slot      muster.Slot
	from, end position
}

func (st stretch) empty() bool { return !st.from.before(st.end) }

// plan finds the stretches of all slots. Their ends are where the logs end
// now, so that history is finite while processes go on to write.
func (s *Store) plan(ctx context.Context, q *Query, slots []muster.Slot) ([]stretch, error) {
	stretches := make([]stretch, len(slots))
	for i, slot := range slots {
		end, err := s.end(q, slot)
		if err != nil {
			return nil, err
		}
		stretches[i] = stretch{slot: slot, from: end, end: end}
		if q.Last < 0 && end.seq > 0 {
			if stretches[i].from, err = s.begin(q, slot, end); err != nil {
				return nil, err
			}
		}
	}
	if q.Last > 0 {
		return stretches, s.pickLast(ctx, q, stretches)
	}
	return stretches, nil
}

// end returns the end of the newest segment that begins before q.Until, the
// zero position when there is none.
func (s *Store) end(q *Query, slot muster.Slot) (position, error) {
	segments, err := s.segments(slot)
	for i := len(segments) - 1; i >= 0 && err == nil; i-- {
		segment := segments[i]
		if !q.Until.IsZero() {
			first, err := s.headAt(slot, at(segment, 0))
			if ignoreGone(err) != nil {
				return position{}, err
			}
			if !first.At.Before(q.Until) {
				continue
			}
		}
		off, err := s.endOf(slot, segment)
		if err == nil {
			return at(segment, off), nil
		}
		if ignoreGone(err) != nil {
			return position{}, err
		}
	}
	return position{}, err
}

// begin returns the start of the newest segment that may hold the first line
// not before q.Since: segments that end before it are never opened again.
func (s *Store) begin(q *Query, slot muster.Slot, end position) (position, error) {
	segments, err := s.segments(slot)
	begin := end
	for i := len(segments) - 1; i >= 0 && err == nil; i-- {
		if segments[i].Seq > end.seq {
			continue
		}
		begin = at(segments[i], 0)
		if q.Since.IsZero() {
			continue
		}
		first, err := s.headAt(slot, begin)
		if ignoreGone(err) != nil {
			return position{}, err
		}
		if !first.At.IsZero() && first.At.Before(q.Since) {
			break
		}
	}
	return begin, err
}

// pickLast sets where the stretches begin so that together they hold the last
// q.Last lines.
func (s *Store) pickLast(ctx context.Context, q *Query, stretches []stretch) error {
	type source struct {
		*tail
		stretch *stretch
		mark    mark
	}
	newest := queue[*source]{before: func(a, b *source) bool { return b.mark.at.Before(a.mark.at) }}
	push := func(src *source) error {
		mark, ok, err := src.newest(ctx)
		if src.mark = mark; ok {
			newest.push(src)
		}
		return err
	}
	// Of lines of the same time the later slot's are given out later, and so
	// are the first to be taken here.
	for i := len(stretches) - 1; i >= 0; i-- {
		st := &stretches[i]
		if err := push(&source{tail: s.tail(q, st.slot, st.end), stretch: st}); err != nil {
			return err
		}
	}
	for n := 0; n < q.Last && newest.len() > 0; n++ {
		src := newest.pop()
		src.stretch.from = src.mark.place
		src.take()
		if err := push(src); err != nil {
			return err
		}
	}
	return nil
}
