package logs

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"

	"muster"
)

// A position is a byte of a slot's log: an offset, uncompressed, in the segment
// with that number and first line. The zero position is before everything, in
// the place of a slot that has no log yet.
type position struct{ seq, first, off int64 }

func at(segment muster.Segment, off int64) position {
	return position{segment.Seq, segment.FirstLine, off}
}

func (p position) segment() muster.Segment {
	return muster.Segment{Seq: p.seq, FirstLine: p.first}
}

func (p position) before(q position) bool {
	return p.seq < q.seq || p.seq == q.seq && p.off < q.off
}

// maxLag is how many whole segments a live cursor lets lie between its own and
// the newest before it gives up on them.
const maxLag = 1

// A cursor reads a slot's records in order, from segment to segment, whatever
// is appended, compressed or removed meanwhile. It keeps its segment open, so
// that it can finish one that was removed, and count how far it got in it.
type cursor struct {
	store *Store
	slot  muster.Slot
	live  bool // jump to the newest segment rather than fall far behind

	start   position // where to begin, while content is nil
	segment muster.Segment
	content content
	records records

	sealed  bool  // a newer segment exists: this one has all it will ever have
	broken  bool  // the rest of this segment can not be read
	skipped int64 // number of the last segment that could not be opened
}

// A step is one record and where it is, or the number of lines missing before
// the next.
type step struct {
	record []byte // valid until the next step
	at     position
	missed int64
}

// next returns io.EOF when there is nothing to read now.
func (c *cursor) next() (step, error) {
	for {
		if c.content != nil && !c.broken {
			record, off, err := c.records.next()
			if err == nil {
				return step{record: record, at: at(c.segment, off)}, nil
			}
			c.broken = err != io.EOF
		}
		missed, err := c.advance()
		if err != nil || missed > 0 {
			return step{missed: missed}, err
		}
	}
}

func (c *cursor) unread() { c.records.unread() }

// advance moves on to the next segment. Before it leaves one it has it read
// once more: between finding its end and seeing its successor, the keeper may
// have written to it.
func (c *cursor) advance() (missed int64, err error) {
	segments, err := c.store.segments(c.slot)
	if err != nil {
		return 0, err
	}
	next, ok := c.pick(segments)
	if !ok {
		return 0, io.EOF
	}
	if c.content != nil && !c.sealed && !c.broken && !c.overtaken(segments) {
		c.sealed = true
		return 0, nil
	}
	return c.move(next)
}

// pick chooses where to go on from the current segment.
func (c *cursor) pick(segments []muster.Segment) (next muster.Segment, ok bool) {
	if c.overtaken(segments) {
		return segments[len(segments)-1], true
	}
	for _, s := range segments {
		if s.Seq > c.skipped && (s.Seq > c.seq() || c.content == nil && s.Seq == c.start.seq) {
			return s, true
		}
	}
	return muster.Segment{}, false
}

func (c *cursor) seq() int64 {
	if c.content == nil {
		return c.start.seq
	}
	return c.segment.Seq
}

// overtaken reports whether a live cursor should jump to the newest segment.
func (c *cursor) overtaken(segments []muster.Segment) bool {
	if !c.live || len(segments) == 0 {
		return false
	}
	newest := segments[len(segments)-1].Seq
	between := newest - c.seq() - 1
	if newest <= c.skipped || between < maxLag {
		return false
	}
	return between > maxLag || c.content != nil && segments[0].Seq > c.segment.Seq
}

// keepUp is asked before a live cursor goes on after its reader took its time.
// It returns how many lines it had to jump over.
func (c *cursor) keepUp(segments []muster.Segment) (missed int64, err error) {
	if !c.overtaken(segments) {
		return 0, nil
	}
	return c.move(segments[len(segments)-1])
}

// restart begins before everything.
func (c *cursor) restart() {
	c.close()
	c.start, c.skipped = position{}, 0
}

// replaced reports whether the slot's log was removed and begun anew. It also
// steps back when the keeper took back a record that a full disk cut off.
func (c *cursor) replaced(segments []muster.Segment) bool {
	if c.content == nil || len(segments) == 0 {
		return false
	}
	newest := segments[len(segments)-1]
	if newest.Seq != c.segment.Seq || newest.Compressed {
		return newest.Seq < c.segment.Seq
	}
	if size, err := c.content.Size(); err == nil && size < c.records.off {
		c.records.rest()
		c.records.off = size
	}
	path := filepath.Join(c.store.Dir(c.slot), newest.Name())
	return newest.FirstLine != c.segment.FirstLine || c.content.replacedAt(path)
}

// move opens a segment and leaves the current one. A segment that has gone
// meanwhile, or that can not be read, is passed over.
func (c *cursor) move(to muster.Segment) (missed int64, err error) {
	opened, err := c.store.open(c.slot, to)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errCorrupt) {
		c.skipped = to.Seq
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	missed = c.gap(to)
	off := int64(0)
	if c.content == nil && c.start.seq == to.Seq {
		off = c.start.off
	}
	c.close()
	c.segment, c.content = to, opened
	c.records = records{source: opened, off: off}
	c.sealed, c.broken = false, false
	return missed, nil
}

// gap counts the lines between the current place and the start of a segment.
func (c *cursor) gap(to muster.Segment) int64 {
	switch {
	case c.content == nil && c.start.seq > 0:
		return 0 // reading begins here
	case c.content == nil:
		return max(0, to.FirstLine-1)
	case to.Seq == c.segment.Seq+1 && !c.broken:
		return 0
	}
	next := c.segment.FirstLine + countLines(c.content, c.records.off)
	return max(0, to.FirstLine-next)
}

func (c *cursor) close() {
	if c.content != nil {
		c.content.Close()
		c.content = nil
	}
	c.records = records{}
}
