package cgroup

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Populated reports whether any process lives in the group or in one below.
// Zombies do not count.
func (g *Group) Populated() (bool, error) {
	events, err := g.read("cgroup.events")
	if err != nil {
		return false, g.failed("read the events of", err)
	}
	populated, ok := keyed(events, "populated")
	if !ok {
		return false, g.failed("read the events of", errors.New("populated is missing"))
	}
	return populated == "1", nil
}

// Procs returns the processes in the group and in those that the processes
// themselves have made below.
func (g *Group) Procs() ([]int, error) {
	var pids []int
	err := filepath.WalkDir(g.dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, os.ErrNotExist) && path != g.dir:
			return nil // removed meanwhile
		case err != nil:
			return err
		case !d.IsDir():
			return nil
		}
		own, err := (&Group{dir: path}).ownProcs()
		pids = append(pids, own...)
		return err
	})
	if err != nil {
		return nil, g.failed("list the processes of", err)
	}
	return pids, nil
}

func (g *Group) ownProcs() ([]int, error) {
	text, err := g.read("cgroup.procs")
	if gone(err) {
		return nil, nil
	}
	var pids []int
	for field := range strings.FieldsSeq(text) {
		// 0 stands for a process that this pid namespace does not see.
		if pid, err := strconv.Atoi(field); err == nil && pid > 0 {
			pids = append(pids, pid)
		}
	}
	return pids, err
}
