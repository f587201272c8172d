//go:build !linux

package keeper

import (
	"os"
	"syscall"
)

// Without Linux there is no parent-death signal, no subreaper and no cgroup:
// a keeper that is killed leaves its children behind.
func sysProcAttr(spec Spec) (sys *syscall.SysProcAttr, release func(), err error) {
	return commonAttr(spec), func() {}, nil
}

func applyLimits(pid int, spec Spec) {
	if spec.Nice != 0 {
		syscall.Setpriority(syscall.PRIO_PROCESS, pid, spec.Nice)
	}
}

func growPipe(*os.File) {}

func becomeSubreaper() error { return nil }
