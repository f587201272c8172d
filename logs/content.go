package logs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"muster"
)

// content is one open segment. It stays readable after the file was removed or
// replaced by its compressed form.
type content interface {
	io.ReaderAt
	io.Closer
	// Size is how many bytes of records there are now.
	Size() (int64, error)
	// replacedAt reports whether path names another file now. A path that names
	// none was removed, not replaced.
	replacedAt(path string) bool
}

var (
	_ content = plain{}
	_ content = (*packed)(nil)
)

// open opens a segment in whichever form it has now. The compressed file gets
// its name before the plain one goes, so one look at each finds it; an error
// that is fs.ErrNotExist means that it was removed.
func (s *Store) open(slot muster.Slot, segment muster.Segment) (content, error) {
	segment.Compressed = false
	path := filepath.Join(s.Dir(slot), segment.Name())
	file, err := os.Open(path)
	if err == nil {
		return plain{file}, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	segment.Compressed = true
	decoder, err := s.decoder()
	if err != nil {
		return nil, err
	}
	return openPacked(filepath.Join(s.Dir(slot), segment.Name()), decoder)
}

// plain is a segment that is not compressed.
type plain struct{ *os.File }

func (p plain) Size() (int64, error) {
	info, err := p.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (p plain) replacedAt(path string) bool {
	mine, err1 := p.Stat()
	named, err2 := os.Stat(path)
	return err1 == nil && err2 == nil && !os.SameFile(mine, named)
}
