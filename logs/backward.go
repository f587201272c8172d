package logs

import (
	"bytes"
	"errors"
	"io"
	"io/fs"

	"muster"
)

// warmBytes is how far before the first line wanted reading begins, to find
// pieces of it. Where that lands among pieces it goes back further, as far as
// a line can reach. A piece further back than that, with only the other
// stream's lines between, is not found; its line is shown without it.
const warmBytes = 32 << 10

// warmUp returns where to begin to read in order to have whole lines from
// from on.
func (s *Store) warmUp(slot muster.Slot, from position) (position, error) {
	if from.seq == 0 {
		return from, nil
	}
	start, err := s.before(slot, from, warmBytes)
	for held := 0; held < maxLine; held += warmBytes / 2 {
		first, headErr := s.headAt(slot, start)
		if err != nil || headErr != nil || !first.Partial {
			break
		}
		earlier := start
		if earlier, err = s.before(slot, start, warmBytes/2); earlier == start {
			break
		}
		start = earlier
	}
	return start, err
}

// before returns the start of a record that is n bytes or more before p, or
// less where the segment begins. From a segment's start it goes to the one
// before. It returns p itself when there is nothing before it.
func (s *Store) before(slot muster.Slot, p position, n int64) (position, error) {
	if p.off == 0 {
		previous, ok, err := s.endBefore(slot, p.seq)
		if err != nil || !ok {
			return p, err
		}
		p = previous
	}
	file, err := s.open(slot, p.segment())
	if err != nil {
		return p, ignoreGone(err)
	}
	defer file.Close()
	p.off, err = recordStart(file, max(0, p.off-n)) // 0 where it does not decode
	return p, ignoreGone(err)
}

// endBefore returns the end of the whole records of the newest segment that is
// numbered less than seq and can be read.
func (s *Store) endBefore(slot muster.Slot, seq int64) (end position, ok bool, err error) {
	segments, err := s.segments(slot)
	for i := len(segments) - 1; i >= 0 && err == nil; i-- {
		if segments[i].Seq >= seq {
			continue
		}
		off, err := s.endOf(slot, segments[i])
		if err == nil {
			return at(segments[i], off), true, nil
		}
		if ignoreGone(err) != nil {
			return position{}, false, err
		}
	}
	return position{}, false, err
}

// endOf returns where the whole records of a segment end now.
func (s *Store) endOf(slot muster.Slot, segment muster.Segment) (int64, error) {
	file, err := s.open(slot, segment)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	size, err := file.Size()
	if err != nil {
		return 0, err
	}
	return recordStart(file, size)
}

// headAt reads the first fields of the record at p; Text is cut off.
func (s *Store) headAt(slot muster.Slot, p position) (muster.Line, error) {
	file, err := s.open(slot, p.segment())
	if err != nil {
		return muster.Line{}, err
	}
	defer file.Close()
	return head(file, p.off)
}

// head is headAt in an open segment. It returns the zero Line for what is not
// a record.
func head(file io.ReaderAt, off int64) (muster.Line, error) {
	var fields [len(muster.LineTimeLayout) + len(" stdout F ")]byte
	n, err := file.ReadAt(fields[:], off)
	if err != nil && err != io.EOF {
		return muster.Line{}, err
	}
	l, _ := muster.ParseLine(fields[:n])
	return l, nil
}

// recordStart returns the last place at or before off where a record begins.
func recordStart(file io.ReaderAt, off int64) (int64, error) {
	var block [4 << 10]byte
	for off > 0 {
		n := min(off, int64(len(block)))
		if got, err := file.ReadAt(block[:n], off-n); int64(got) < n {
			return 0, errors.Join(err, errCorrupt)
		}
		if i := bytes.LastIndexByte(block[:n], '\n'); i >= 0 {
			return off - n + int64(i) + 1, nil
		}
		off -= n
	}
	return 0, nil
}

// ignoreGone drops the errors of a segment that was removed, or that does not
// decode: there is nothing to read in it.
func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errCorrupt) {
		return nil
	}
	return err
}
