package manifest

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"muster"
)

// maxSize bounds a manifest, in bytes. A file beyond it is a mistake.
const maxSize = 8 << 20

// read returns what is in the file called name, relative to the app's
// directory, and notes that it was read.
func (l *loader) read(name string) ([]byte, *muster.Error) {
	path := l.abs(name)
	info, err := os.Stat(path)
	if err != nil {
		return nil, unreadable(name, err)
	}
	if e := checkReadable(name, info); e != nil {
		return nil, e
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(name, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, unreadable(name, err)
	}
	if len(data) > maxSize {
		return nil, tooLarge(name)
	}
	l.files = append(l.files, path)
	return data, nil
}

// abs returns name below the app's directory, unless it is absolute.
func (l *loader) abs(name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(l.app.Dir, name)
}

// has reports whether there is anything called name in the app's directory.
// What cannot be looked at counts: reading it will say why.
func (l *loader) has(name string) bool {
	_, err := os.Stat(l.abs(name))
	return !errors.Is(err, fs.ErrNotExist)
}

// checkReadable refuses what is no plain file; opening a pipe would wait for
// somebody to write.
func checkReadable(name string, info fs.FileInfo) *muster.Error {
	pos := muster.Position{File: name}
	switch {
	case info.IsDir():
		return muster.ErrorAt(pos, "a file of that name", "is a directory")
	case !info.Mode().IsRegular():
		return muster.ErrorAt(pos, "a copy of it in a file", "is a pipe or a device, not a file")
	case info.Size() > maxSize:
		return tooLarge(name)
	}
	return nil
}

func tooLarge(name string) *muster.Error {
	return muster.ErrorAt(muster.Position{File: name}, "a smaller file", "larger than %d MiB", maxSize>>20)
}

// unreadable says why a file could not be read, and the way out.
func unreadable(name string, err error) *muster.Error {
	code, what, hint := muster.CodeInvalid, err.Error(), "another file"
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		what = pathErr.Err.Error()
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		code, what, hint = muster.CodeNotFound, "does not exist", "the path of a file or directory that does"
	case errors.Is(err, fs.ErrPermission):
		code, what, hint = muster.CodeForbidden, "permission denied", "chmod u+r on it, or running as its owner"
	}
	e := muster.Errorf(code, hint, "%s", what)
	e.Pos, e.Err = &muster.Position{File: name}, err
	return e
}
