//go:build !linux

package keeper

import (
	"os"
	"syscall"
)

// Without Linux there is no parent-death signal, no subreaper and no cgroup:
// a keeper that is killed leaves its children behind.
func sysProcAttr(spec Spec) (sys *syscall.SysProcAttr, release func(), err error) {
	sys = &syscall.SysProcAttr{}
	switch spec.Session {
	case SessionNew:
		sys.Setsid = true
	case SessionTerminal:
		sys.Setsid, sys.Setctty, sys.Ctty = true, true, 0
	case SessionForeground:
		sys.Setpgid, sys.Foreground, sys.Ctty = true, true, 0
	}
	if spec.UID != nil || spec.GID != nil {
		sys.Credential = credential(spec)
	}
	return sys, func() {}, nil
}

func applyLimits(pid int, spec Spec) {
	if spec.Nice != 0 {
		syscall.Setpriority(syscall.PRIO_PROCESS, pid, spec.Nice)
	}
}

func growPipe(*os.File) {}

func becomeSubreaper() error { return nil }
