package logs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"

	"muster"
)

// temporarySuffix marks a compressed segment that is not complete.
const temporarySuffix = ".tmp"

// Compress packs a slot's segments that are no longer written to: all but the
// newest. The packed file takes its name only when it is complete and on disk.
func (s *Store) Compress(ctx context.Context, slot muster.Slot) error {
	segments, err := s.segments(slot)
	if err != nil || len(segments) < 2 {
		return err
	}
	if err := s.removeTemporary(slot); err != nil {
		return err
	}
	for _, segment := range segments[:len(segments)-1] {
		if err := ctx.Err(); err != nil {
			return err
		}
		if segment.Compressed {
			continue
		}
		if err := s.compress(ctx, filepath.Join(s.Dir(slot), segment.Name())); err != nil {
			return fmt.Errorf("compress %s of %s: %w", segment.Name(), slot, err)
		}
	}
	return nil
}

// removeTemporary removes what a compression left that was cut short.
func (s *Store) removeTemporary(slot muster.Slot) error {
	entries, err := readDir(s.Dir(slot))
	for _, e := range entries {
		name, temporary := strings.CutSuffix(e.Name(), temporarySuffix)
		if _, ok := muster.ParseSegmentName(name); ok && temporary {
			err = errors.Join(err, remove(filepath.Join(s.Dir(slot), e.Name())))
		}
	}
	return err
}

func (s *Store) compress(ctx context.Context, path string) error {
	source, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the keeper needed the room
	}
	if err != nil {
		return err
	}
	defer source.Close()
	final := path + ".zst"
	if _, err := os.Stat(final); err != nil {
		if err := writePacked(ctx, final, source); err != nil {
			return err
		}
	}
	err = os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return remove(final) // removed meanwhile; do not bring it back
	}
	return err
}

// writePacked writes a file's packed form with the file's mode and time, which
// retention goes by.
func writePacked(ctx context.Context, final string, source *os.File) error {
	info, err := source.Stat()
	if err != nil {
		return err
	}
	temporary := final + temporarySuffix
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, info.Mode().Perm())
	if err != nil {
		return err
	}
	err = packInto(file, contextReader{ctx, source})
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Chtimes(temporary, info.ModTime(), info.ModTime())
	}
	if err == nil {
		err = os.Rename(temporary, final)
	}
	if err != nil {
		return errors.Join(err, remove(temporary))
	}
	return nil
}

// packInto returns when the disk has the packed form.
func packInto(file *os.File, source io.Reader) error {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1),
		zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(frameBytes))
	if err != nil {
		return err
	}
	defer encoder.Close()
	if err := pack(file, source, encoder); err != nil {
		return err
	}
	return file.Sync()
}

// A contextReader ends a long copy early.
type contextReader struct {
	ctx    context.Context
	source io.Reader
}

func (r contextReader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.source.Read(b)
}

// remove is os.Remove, for which what does not exist is removed.
func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
