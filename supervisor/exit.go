package supervisor

import (
	"fmt"
	"syscall"

	"muster"
	"muster/keeper"
)

// explain turns the keeper's bare facts into an exit with a reason in words.
func (l *slot) explain(exit keeper.Exit) muster.Exit {
	e := muster.Exit{Code: exit.Code, At: exit.At}
	if exit.Signal != 0 {
		e.Code, e.Signal = -1, muster.SignalName(syscall.Signal(exit.Signal))
	}
	e.Reason = l.reason(e)
	return e
}

func (l *slot) reason(e muster.Exit) string {
	stopping := l.machine.State == muster.StateStopping
	switch {
	case e.Signal == "KILL" && l.outOfMemory():
		return "out of memory"
	case e.Signal == "KILL" && l.killedAtOnce:
		return "killed at once, as asked"
	case e.Signal == "KILL" && !stopping:
		return "killed from outside"
	case stopping:
		return ""
	case e.Signal == "ABRT", e.Code == 134:
		return "aborted; a Node program that ran out of heap ends like this"
	case e.Signal == "SEGV":
		return "segmentation fault"
	case e.Code == 127:
		return "command not found"
	case e.Code == 126:
		return "command found, but it can not be executed"
	case e.Code > 128 && e.Code < 128+65:
		return fmt.Sprintf("a shell's way to say signal %s", muster.SignalName(syscall.Signal(e.Code-128)))
	}
	return ""
}

// outOfMemory asks the slot's cgroup, and without one the kernel's log.
func (l *slot) outOfMemory() bool {
	s := l.supervisor
	if s.options.Cgroups != nil && l.cgroup != "" && s.options.Cgroups.OOMKills(l.cgroup) > l.oomBefore {
		return true
	}
	// The kernel's log is long; its counter tells whether there is anything new
	// in it.
	count := oomCounter()
	if count == s.oomSeen {
		return false
	}
	s.oomSeen = count
	return kernelKilled(l.machine.PID)
}
