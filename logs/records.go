package logs

import (
	"bytes"
	"io"

	"muster"
)

const (
	// blockBytes is how much is read at a time. A follower allocates it anew
	// for each wake-up, so that quiet slots hold nothing.
	blockBytes = 16 << 10
	// maxRecord bounds the memory one record may take. The keeper's are far
	// smaller; what is longer is not a record and is passed over.
	maxRecord = 8 << 20
)

// records cuts a segment into records. The zero value, given a source, reads
// from its start.
type records struct {
	source io.ReaderAt
	off    int64 // of the first byte not yet given out

	buf      []byte // buf[start:end] are the bytes from off
	start    int
	end      int
	searched int  // bytes after start known to hold no newline
	last     int  // length of the record given out last, for unread
	skipping bool // inside of something too long
}

// next returns the next record without its newline, and where it starts. The
// record is valid until the next call. io.EOF means that there is no whole
// record now; asked again after the file has grown, next goes on.
func (r *records) next() (record []byte, at int64, err error) {
	for {
		unseen := r.buf[r.start+r.searched : r.end]
		if i := bytes.IndexByte(unseen, '\n'); i >= 0 {
			record = r.buf[r.start : r.start+r.searched+i]
			at = r.off
			r.take(len(record) + 1)
			if r.skipping {
				r.skipping = false
				continue
			}
			return record, at, nil
		}
		r.searched = r.end - r.start
		if err := r.fill(); err != nil {
			return nil, 0, err
		}
	}
}

func (r *records) take(n int) {
	r.start += n
	r.off += int64(n)
	r.last = n
	r.searched = 0
}

// unread gives the record that next returned last once more.
func (r *records) unread() {
	r.start -= r.last
	r.off -= int64(r.last)
	r.last, r.searched = 0, 0
}

// fill reads one block behind what is held.
func (r *records) fill() error {
	r.makeRoom()
	n, err := r.source.ReadAt(r.buf[r.end:], r.off+int64(r.end-r.start))
	r.end += n
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

func (r *records) makeRoom() {
	r.end = copy(r.buf, r.buf[r.start:r.end])
	r.start, r.last = 0, 0
	if r.end == maxRecord {
		r.take(r.end)
		r.start, r.end, r.last = 0, 0, 0
		r.skipping = true
	}
	if r.end < len(r.buf) {
		return
	}
	size := min(max(2*len(r.buf), blockBytes), maxRecord)
	r.buf = append(make([]byte, 0, size), r.buf[:r.end]...)[:size]
}

// rest forgets what was read ahead and the memory it took.
func (r *records) rest() {
	r.buf, r.start, r.end, r.last, r.searched = nil, 0, 0, 0, 0
}

// countLines counts the lines that end in the first limit bytes of a segment,
// as the keeper numbers them: pieces do not count, nor does what is torn.
func countLines(source io.ReaderAt, limit int64) (lines int64) {
	r := records{source: io.NewSectionReader(source, 0, limit)}
	for {
		record, _, err := r.next()
		if err != nil {
			return lines
		}
		if line, ok := muster.ParseLine(record); ok && !line.Partial {
			lines++
		}
	}
}
