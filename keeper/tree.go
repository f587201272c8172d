package keeper

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"

	"muster/cgroup"
	"muster/proctree"
)

// left reports whether processes that c started outlive it.
func (k *Keeper) left(c *child) bool {
	if group := c.group(); group != nil {
		if populated, err := group.Populated(); err == nil {
			return populated
		}
	}
	return len(k.members(c)) > 0
}

func (c *child) group() *cgroup.Group {
	if c.spec.Cgroup == "" {
		return nil
	}
	group, err := cgroup.Open(c.spec.Cgroup)
	if err != nil {
		return nil
	}
	return group
}

// Tree returns the pids of everything that belongs to a process, itself first
// if it lives.
func (k *Keeper) Tree(id string) ([]int, error) {
	k.mu.Lock()
	c, err := k.child(id)
	k.mu.Unlock()
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, p := range k.members(c) {
		pids = append(pids, p.PID)
	}
	return pids, nil
}

// members finds what belongs to c without a cgroup: its descendants; what is
// still in its session; and, among the orphans that came to the keeper and what
// they started, those that carry its mark in their environment. Where somebody
// vanished in the middle of a look, whose children may have been missed, it
// looks again.
func (k *Keeper) members(c *child) (found []proctree.Proc) {
	for range membersLooks {
		snapshot, err := proctree.Scan()
		if err != nil {
			return nil
		}
		var complete bool
		if found, complete = k.membersIn(snapshot, c); complete {
			break
		}
	}
	return found
}

// membersLooks bounds looking again: a tree that forks all the time is never
// seen at rest.
const membersLooks = 5

func (k *Keeper) membersIn(snapshot proctree.Snapshot, c *child) (found []proctree.Proc, complete bool) {
	k.mu.Lock()
	others := map[int]bool{} // children of ours that are not c
	for pid, other := range k.byPID {
		others[pid] = other != c
	}
	alive := c.exit == nil
	k.mu.Unlock()
	if alive {
		found = snapshot.Descendants(c.pid)
	}
	complete = true
	if k.options.Subreaper {
		for _, orphan := range snapshot.Children(os.Getpid()) {
			if isOther, known := others[orphan.PID]; known && (isOther || alive) {
				continue
			}
			more, all := marked(snapshot, orphan, c)
			found, complete = append(found, more...), complete && all
		}
	}
	return withoutZombies(found), complete
}

// marked returns those of an orphan's tree that belong to c, and whether all of
// them could be asked. What one of them started belongs to c as well.
func marked(snapshot proctree.Snapshot, orphan proctree.Proc, c *child) (found []proctree.Proc, complete bool) {
	complete = true
	theirs := map[int]bool{}
	for _, p := range snapshot.Descendants(orphan.PID) { // parents before children
		switch {
		case theirs[p.PPID], p.SID == c.pid, c.knows(p):
			theirs[p.PID] = true
			found = append(found, p)
		default:
			if now, ok := proctree.Stat(p.PID); !ok || now.Start != p.Start || now.State == 'Z' {
				complete = false
			}
		}
	}
	return found, complete
}

// knows reports a process that carries c's mark, or still has an end of one of
// the pipes c was born with: a daemon may clear its environment, or close its
// descriptors, and seldom does both.
func (c *child) knows(p proctree.Proc) bool {
	if len(c.spec.Mark) > 0 && proctree.HasEnv(p.PID, c.spec.Mark...) {
		return true
	}
	for fd := range 3 {
		target, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", p.PID, fd))
		if err == nil && slices.Contains(c.pipes, target) {
			return true
		}
	}
	return false
}

// pipeNames are what /proc calls the pipes of a process's standard descriptors.
func pipeNames(s *stdio) (names []string) {
	for _, f := range []*os.File{s.stdin, s.out, s.err} {
		if f == nil {
			continue
		}
		if target, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", rawFD(f))); err == nil {
			names = append(names, target)
		}
	}
	return names
}

// SweepStrays kills whatever is left below the keeper and is none of its
// children: what got away from everything that could tell whose it is. except
// is the daemon, or 0.
func (k *Keeper) SweepStrays(except int) {
	if !k.options.Subreaper {
		return // what else runs below us is not ours
	}
	for range membersLooks {
		snapshot, err := proctree.Scan()
		if err != nil {
			return
		}
		own := map[int]bool{os.Getpid(): true}
		if except > 0 {
			for _, p := range snapshot.Descendants(except) {
				own[p.PID] = true
			}
		}
		strays := 0
		for _, p := range withoutZombies(snapshot.Descendants(os.Getpid())) {
			if !own[p.PID] {
				strays++
				_ = signalProven(p, syscall.SIGKILL)
			}
		}
		if strays == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func withoutZombies(procs []proctree.Proc) []proctree.Proc {
	alive := procs[:0]
	for _, p := range procs {
		if p.State != 'Z' && p.State != 'X' {
			alive = append(alive, p)
		}
	}
	return alive
}

// signalLeft signals every member of c's tree and returns how many there were.
func (k *Keeper) signalLeft(c *child, sig syscall.Signal) (int, error) {
	members := k.members(c)
	var errs []error
	for _, m := range members {
		errs = append(errs, signalProven(m, sig))
	}
	return len(members), errors.Join(errs...)
}

// signalProven opens the process before it looks again whether the pid is
// still the process that was found, so that the signal can not hit another.
func signalProven(m proctree.Proc, sig syscall.Signal) error {
	process, err := os.FindProcess(m.PID)
	if err != nil {
		return nil
	}
	defer process.Release()
	if now, ok := proctree.Stat(m.PID); !ok || now.Start != m.Start {
		return nil
	}
	return ignoreGone(process.Signal(sig))
}

// Sweep kills everything that belongs to a process and returns when nothing of
// it is left, seen twice. A process that forks while it is killed is met again
// in the next round; a cgroup needs one round only.
func (k *Keeper) Sweep(id string) error {
	k.mu.Lock()
	c, err := k.child(id)
	k.mu.Unlock()
	if err != nil {
		return err
	}
	group := c.group()
	pause, empty := time.Millisecond, 0
	for deadline := time.Now().Add(sweepLimit); time.Now().Before(deadline); {
		if group != nil {
			_ = group.Kill() // what it can not reach, the rounds below do
		}
		n, err := k.signalLeft(c, syscall.SIGKILL)
		if err != nil {
			return err
		}
		if n > 0 {
			empty = 0
		} else if empty++; empty == 2 {
			return nil
		}
		time.Sleep(pause)
		pause = min(2*pause, 50*time.Millisecond)
	}
	return errors.New(id + ": processes are left that can not be killed (in uninterruptible sleep?)")
}

// sweepLimit bounds a sweep: a process stuck in the kernel can not be killed.
const sweepLimit = 5 * time.Second
