package keeper

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// reapLoop waits for SIGCHLD and takes every end there is. One signal may stand
// for many.
func (k *Keeper) reapLoop(done <-chan struct{}) {
	if k.options.Subreaper {
		// Failing only means that daemonized grandchildren escape to init.
		_ = becomeSubreaper()
	}
	sigchld := make(chan os.Signal, 1)
	signal.Notify(sigchld, syscall.SIGCHLD)
	defer signal.Stop(sigchld)
	for {
		k.reap()
		select {
		case <-sigchld:
		case <-done:
			return
		}
	}
}

// reap takes all exits that are there to take and passes them on in order.
func (k *Keeper) reap() {
	for {
		c, exit, more := k.reapOne()
		if c != nil {
			k.finish(c, exit)
		}
		if !more {
			return
		}
	}
}

// reapOne waits for one process without blocking. Waiting and marking happen
// under one lock, so nobody can signal a pid between the two.
func (k *Keeper) reapOne() (c *child, exit Exit, more bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var status syscall.WaitStatus
	var usage syscall.Rusage
	pid := k.wait(&status, &usage)
	if pid <= 0 {
		return nil, Exit{}, false
	}
	c = k.byPID[pid]
	if c == nil {
		return nil, Exit{}, true // an orphan that came to us
	}
	delete(k.byPID, pid)
	exit = Exit{ID: c.spec.ID, Code: status.ExitStatus(), Signal: signalNumber(status), At: time.Now(), MaxRSS: maxRSSBytes(usage)}
	c.exit = &exit
	c.process.Release()
	return c, exit, true
}

// wait reaps one ended process and returns its pid, or 0. Only a subreaper may
// wait for just anybody: elsewhere another package may have children too.
func (k *Keeper) wait(status *syscall.WaitStatus, usage *syscall.Rusage) int {
	if k.options.Subreaper {
		return wait4(-1, status, usage)
	}
	for pid := range k.byPID {
		if wait4(pid, status, usage) == pid {
			return pid
		}
	}
	return 0
}

func wait4(pid int, status *syscall.WaitStatus, usage *syscall.Rusage) int {
	for {
		got, err := syscall.Wait4(pid, status, syscall.WNOHANG, usage)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return 0
		}
		return got
	}
}

// finish moves the process's last words to the log before anybody is told of
// its end, then tells.
func (k *Keeper) finish(c *child, exit Exit) {
	for _, p := range c.pumps {
		p.drain()
	}
	exit.Left = k.left(c)
	k.mu.Lock()
	c.exit = &exit
	k.mu.Unlock()
	select {
	case k.exits <- exit:
	case <-k.done:
	}
}

// tellExits passes exits on, one after the other, off the reaping goroutine: a
// slow listener does not keep zombies.
func (k *Keeper) tellExits(done <-chan struct{}) {
	for {
		select {
		case exit := <-k.exits:
			if k.options.Exited != nil {
				k.options.Exited(exit)
			}
		case <-done:
			return
		}
	}
}
