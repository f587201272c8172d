package logs

import (
	"context"
	"slices"
)

// Read emits the history a query asks for, merged by time over the slots and
// in order within each. An unfinished line at a slot's end comes last, as it
// is, and Partial. Read returns emit's error, or ctx's.
func (s *Store) Read(ctx context.Context, q Query, emit func(Entry) error) error {
	slots, err := s.Slots(q)
	if err != nil {
		return err
	}
	stretches, err := s.plan(ctx, &q, slots)
	if err != nil {
		return err
	}
	stretches = slices.DeleteFunc(stretches, stretch.empty)
	readers, err := s.readers(&q, stretches)
	defer closeAll(readers)
	if err != nil {
		return err
	}
	if err := merge(ctx, readers, emit); err != nil {
		return err
	}
	for _, r := range readers {
		if err := emitUnfinished(r, emit); err != nil {
			return err
		}
	}
	return nil
}

// readers returns a reader of each stretch. The caller closes them, also after
// an error.
func (s *Store) readers(q *Query, stretches []stretch) ([]*reader, error) {
	var readers []*reader
	for _, st := range stretches {
		r, err := s.reader(q, st.slot, st.from, st.end)
		if err != nil {
			return readers, err
		}
		readers = append(readers, r)
	}
	return readers, nil
}

func closeAll(readers []*reader) {
	for _, r := range readers {
		r.close()
	}
}

func emitUnfinished(r *reader, emit func(Entry) error) error {
	for {
		e, ok := r.unfinished()
		if !ok {
			return nil
		}
		if err := emit(e); err != nil {
			return err
		}
	}
}
