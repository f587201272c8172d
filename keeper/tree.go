package keeper

import (
	"errors"
	"os"
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
// still in its session; and, among the orphans that came to the keeper, those
// that carry its mark in their environment.
func (k *Keeper) members(c *child) []proctree.Proc {
	snapshot, err := proctree.Scan()
	if err != nil {
		return nil
	}
	k.mu.Lock()
	others := map[int]bool{}
	for pid, other := range k.byPID {
		others[pid] = other != c
	}
	alive := c.exit == nil
	k.mu.Unlock()

	var found []proctree.Proc
	if alive {
		found = snapshot.Descendants(c.pid)
	}
	if !k.options.Subreaper {
		return withoutZombies(found)
	}
	for _, orphan := range snapshot.Children(os.Getpid()) {
		if isOther, known := others[orphan.PID]; known && (isOther || alive) {
			continue
		}
		if orphan.SID == c.pid || len(c.spec.Mark) > 0 && proctree.HasEnv(orphan.PID, c.spec.Mark...) {
			found = append(found, snapshot.Descendants(orphan.PID)...)
		}
	}
	return withoutZombies(found)
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
// it is left. A process that forks while it is killed is met again in the next
// round; a cgroup needs one round only.
func (k *Keeper) Sweep(id string) error {
	k.mu.Lock()
	c, err := k.child(id)
	k.mu.Unlock()
	if err != nil {
		return err
	}
	group := c.group()
	pause := time.Millisecond
	for deadline := time.Now().Add(sweepLimit); time.Now().Before(deadline); {
		if group != nil {
			_ = group.Kill() // what it can not reach, the rounds below do
		}
		n, err := k.signalLeft(c, syscall.SIGKILL)
		if err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
		time.Sleep(pause)
		pause = min(2*pause, 50*time.Millisecond)
	}
	return errors.New(id + ": processes are left that can not be killed (in uninterruptible sleep?)")
}

// sweepLimit bounds a sweep: a process stuck in the kernel can not be killed.
const sweepLimit = 5 * time.Second
