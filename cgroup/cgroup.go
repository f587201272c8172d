// Package cgroup groups processes by the kernel's control groups, version 2,
// which are directories and files: a Group is one directory, and what can be
// done with it is reading and writing the files in it.
//
// A group holds whatever a process starts, however it forks, and nothing gets
// out of it by itself: that is what makes killing a tree certain. Limits need
// controllers too, which belong to whoever manages the machine and are often
// not handed on; grouping and killing work without.
//
// The package decides nothing: which groups there are and how large, others
// say. Version 1 is not spoken, except that a version 2 hierarchy mounted
// beside it ("hybrid") is found and used.
package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ErrNoController is inside the error of every limit and measurement whose
// controller the group does not have.
var ErrNoController = errors.New("the controller is not available here")

// A Group is one control group.
type Group struct{ dir string }

// Open returns the group at an absolute path, which has to exist.
func Open(path string) (*Group, error) {
	if _, err := os.Stat(filepath.Join(path, "cgroup.procs")); err != nil {
		return nil, fmt.Errorf("open the control group %s: %w", path, reason(err))
	}
	return &Group{dir: path}, nil
}

// Path is the group's directory.
func (g *Group) Path() string { return g.dir }

// Dir opens the group's directory. Its descriptor is what
// syscall.SysProcAttr.CgroupFD wants, so that a process is born in the group
// (Linux 5.7). The caller closes it.
func (g *Group) Dir() (*os.File, error) {
	f, err := os.Open(g.dir)
	if err != nil {
		return nil, g.failed("open", err)
	}
	return f, nil
}

// Add moves a process with all its threads into the group. Children it already
// has stay where they are.
func (g *Group) Add(pid int) error {
	if err := g.write("cgroup.procs", fmt.Sprint(pid)); err != nil {
		return g.failed(fmt.Sprintf("move process %d into", pid), err)
	}
	return nil
}

func (g *Group) read(file string) (string, error) {
	text, err := os.ReadFile(filepath.Join(g.dir, file))
	return strings.TrimSpace(string(text)), err
}

// write writes one value to a file that the kernel made: it creates none.
func (g *Group) write(file, value string) error {
	f, err := os.OpenFile(filepath.Join(g.dir, file), os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

func (g *Group) failed(operation string, err error) error {
	return fmt.Errorf("%s the control group %s: %w", operation, g.dir, reason(err))
}

// reason drops the path that package os adds: the message names the group.
func reason(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
