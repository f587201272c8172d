package proctree

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// Available reports whether processes can be asked about here: /proc is
// mounted.
func Available() bool {
	_, ok := Stat(os.Getpid())
	return ok
}

// Scan reads all processes but the kernel's own threads. Processes that end
// meanwhile are left out; so are those that /proc hides from this user.
func Scan() (Snapshot, error) {
	proc, err := open("/proc")
	if err != nil {
		return Snapshot{}, fmt.Errorf("open /proc: %w", err)
	}
	defer syscall.Close(proc)

	s := scanner{proc: proc, pageSize: int64(os.Getpagesize()), names: map[string]string{}}
	if err := eachNumbered(proc, make([]byte, 32<<10), s.add); err != nil {
		return Snapshot{}, fmt.Errorf("read /proc: %w", err)
	}
	return newSnapshot(s.procs), nil
}

// A scanner reads one stat file after the other into the same buffer.
type scanner struct {
	proc     int // descriptor of /proc
	pageSize int64
	procs    []Proc
	names    map[string]string // one string for all processes of a name
	path     [32]byte
	text     [1024]byte // a stat line has at most 52 numbers and a short name
}

func (s *scanner) add(_ int, pid []byte) error {
	path := append(append(s.path[:0], pid...), "/stat\x00"...)
	fd, err := openAt(s.proc, path)
	if err != nil {
		return ignoreHidden(err)
	}
	n, err := read(fd, s.text[:])
	syscall.Close(fd)
	if err != nil {
		return ignoreHidden(err)
	}
	if p, ok := parseStat(s.text[:n], s.pageSize, s.name); ok {
		s.procs = append(s.procs, p)
	}
	return nil
}

func (s *scanner) name(text []byte) string {
	if known, ok := s.names[string(text)]; ok {
		return known
	}
	name := string(text)
	s.names[name] = name
	return name
}

// ignoreHidden drops the errors that say a process ended or is not ours to
// see. Any other, such as no free descriptor, would make the scan incomplete
// without anybody noticing.
func ignoreHidden(err error) error {
	switch err {
	case syscall.ENOENT, syscall.ESRCH, syscall.EACCES, syscall.EPERM:
		return nil
	}
	return err
}

// Stat reads one process. Zombies are found, kernel threads are not.
func Stat(pid int) (Proc, bool) {
	text, err := readAll("/proc/"+strconv.Itoa(pid)+"/stat", nil)
	if err != nil {
		return Proc{}, false
	}
	return parseStat(text, int64(os.Getpagesize()), func(name []byte) string { return string(name) })
}
