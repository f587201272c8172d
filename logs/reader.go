package logs

import (
	"io"
	"time"

	"muster"
)

// A reader turns one slot's records into the entries a query wants.
type reader struct {
	query  *Query
	cursor cursor
	joiner joiner
	// from and end bound the records: entries whose last record is before from
	// are read, for the pieces among them, and not given out.
	from position
	end  position // zero means none
	// last is when the last record seen was written.
	last time.Time
	// place is that of the record that completed the last entry.
	place position

	dir  string // of the slot's segments
	due  bool   // Follow: there may be something new to read
	gone bool   // Follow: the directory was removed
}

// reader returns a reader of what stands between two places. The caller closes
// it.
func (s *Store) reader(q *Query, slot muster.Slot, from, end position) (*reader, error) {
	start, err := s.warmUp(slot, from)
	if err != nil {
		return nil, err
	}
	return &reader{
		query:  q,
		cursor: cursor{store: s, slot: slot, start: start},
		from:   from,
		end:    end,
		dir:    s.Dir(slot),
	}, nil
}

// next returns the next entry, io.EOF when there is none now.
func (r *reader) next() (Entry, error) {
	for {
		step, err := r.cursor.next()
		if err != nil {
			return Entry{}, err
		}
		if step.missed > 0 {
			return r.notice(step.missed), nil
		}
		if r.end != (position{}) && !step.at.before(r.end) {
			r.cursor.unread()
			return Entry{}, io.EOF
		}
		if e, ok := r.take(step); ok {
			return e, nil
		}
	}
}

// notice is the entry for missing lines. Pieces from before the gap have
// nothing to do with what follows it.
func (r *reader) notice(missed int64) Entry {
	r.joiner = joiner{}
	return Entry{Slot: r.cursor.slot, At: r.last, Missed: missed}
}

// take reads one record. What is not one, because it was torn by a loss of
// power, is passed over.
func (r *reader) take(s step) (Entry, bool) {
	line, ok := muster.ParseLine(s.record)
	if !ok {
		return Entry{}, false
	}
	r.last = line.At
	if r.query.Stream != "" && line.Stream != r.query.Stream {
		return Entry{}, false
	}
	e, ok := r.joiner.add(line, s.at)
	if !ok || s.at.before(r.from) || !r.query.inTime(line.At) {
		return Entry{}, false
	}
	if r.query.Grep != nil && !r.query.Grep.Match(e.Text) {
		return Entry{}, false
	}
	e.Slot, r.place = r.cursor.slot, s.at
	return e, true
}

// unfinished returns a line that has not ended, once next has no more.
func (r *reader) unfinished() (Entry, bool) {
	for {
		e, place, ok := r.joiner.flush(r.from)
		if !ok {
			return Entry{}, false
		}
		if r.query.inTime(e.At) && (r.query.Grep == nil || r.query.Grep.Match(e.Text)) {
			e.Slot, r.place = r.cursor.slot, place
			return e, true
		}
	}
}

// goLive turns from history to what is appended.
func (r *reader) goLive() {
	r.end, r.cursor.live, r.due = position{}, true, true
}

// finished reports whether there is nothing left of a removed log. It closes
// such a reader.
func (r *reader) finished() bool {
	if r.gone && !r.due {
		r.close()
		return true
	}
	return false
}

// keepUp looks at what happened to the log while nobody read it: it may have
// been begun anew, or have run away. ok is set when e tells of missing lines.
func (r *reader) keepUp() (e Entry, ok bool, err error) {
	segments, err := r.cursor.store.segments(r.cursor.slot)
	if err != nil {
		return Entry{}, false, err
	}
	if r.cursor.replaced(segments) {
		r.cursor.restart()
		r.from, r.joiner = position{}, joiner{}
	}
	missed, err := r.cursor.keepUp(segments)
	if err != nil || missed == 0 {
		return Entry{}, false, err
	}
	return r.notice(missed), true, nil
}

func (r *reader) close() { r.cursor.close() }
