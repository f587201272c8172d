package cgroup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// Kill sends KILL to every process of the group and of those below; none can
// fork its way out. It does not wait for them to be gone: see WaitEmpty.
// Before Linux 5.14 it works by rounds, which do wait, for up to 2 s.
func (g *Group) Kill() error {
	err := g.write("cgroup.kill", "1")
	switch {
	case err == nil:
		return nil
	case !gone(err):
		return g.failed("kill", err)
	}
	if _, err := os.Stat(g.dir); gone(err) {
		return nil
	}
	return g.killByRounds()
}

const (
	killRounds = 100
	roundPause = 20 * time.Millisecond
)

// killByRounds kills whoever is there until nobody is. Freezing first keeps
// the group from forking faster than it is read; where it can not be frozen
// the rounds have to win. A frozen process can be killed all the same.
func (g *Group) killByRounds() error {
	if g.write("cgroup.freeze", "1") == nil {
		defer g.write("cgroup.freeze", "0")
	}
	for range killRounds {
		pids, err := g.Procs()
		if err != nil || len(pids) == 0 {
			return err
		}
		for _, pid := range pids {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
				return g.failed(fmt.Sprintf("kill process %d in", pid), err)
			}
		}
		if err := g.waitEmptyFor(roundPause); err == nil {
			return nil
		}
	}
	return g.failed("kill", errors.New("processes are left that can not be killed"))
}

const (
	removeTries = 20
	removePause = 50 * time.Millisecond
)

// Remove removes the group, which must have no process any more. While
// processes are still ending it waits, for up to 1 s. One that is not there is
// removed already. Groups that the processes made below are not touched and
// make it fail.
func (g *Group) Remove() error {
	var err error
	for range removeTries {
		err = syscall.Rmdir(g.dir)
		if err == nil || gone(err) {
			return nil
		}
		if err != syscall.EBUSY && err != syscall.EINTR {
			break
		}
		if populated, _ := g.Populated(); !populated {
			if below := g.below(); below != "" {
				return g.failed("remove", fmt.Errorf("it has groups of its own, like %s: %w", below, err))
			}
		}
		_ = g.waitEmptyFor(removePause)
	}
	return g.failed("remove", err)
}

// below returns the name of a group below g, if there is one.
func (g *Group) below() string {
	entries, _ := os.ReadDir(g.dir)
	for _, e := range entries {
		if e.IsDir() {
			return e.Name()
		}
	}
	return ""
}

// WaitEmpty returns when no process lives in the group or below it any more, or
// when ctx is done. A group that was removed is empty. It looks again and
// again, at most every 20 ms: the kernel's own notice is held back for 10 ms
// and costs one of the 128 inotify instances a user has.
func (g *Group) WaitEmpty(ctx context.Context) error {
	for pause := 500 * time.Microsecond; ; pause = min(2*pause, 20*time.Millisecond) {
		populated, err := g.Populated()
		if gone(err) || err == nil && !populated {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return g.failed("wait for the end of", context.Cause(ctx))
		}
	}
}

func (g *Group) waitEmptyFor(d time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return g.WaitEmpty(ctx)
}

// gone reports whether err says that a file is not, or no longer, there.
func gone(err error) bool {
	return errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENODEV)
}
