package keeper

import (
	"os"
	"syscall"
	"unsafe"
)

// sysProcAttr translates a Spec into what the child does between fork and
// exec. release closes what only the fork needed.
func sysProcAttr(spec Spec) (sys *syscall.SysProcAttr, release func(), err error) {
	release = func() {}
	sys = commonAttr(spec)
	sys.Pdeathsig = syscall.SIGKILL
	if spec.Cgroup != "" {
		dir, err := os.Open(spec.Cgroup)
		if err != nil {
			return nil, release, err
		}
		sys.UseCgroupFD, sys.CgroupFD = true, int(dir.Fd())
		release = func() { dir.Close() }
	}
	return sys, release, nil
}

// applyLimits sets what the child can not be born with. It has hardly begun to
// load: limits hold from before the program's first line.
func applyLimits(pid int, spec Spec) {
	if spec.Nice != 0 {
		syscall.Setpriority(syscall.PRIO_PROCESS, pid, spec.Nice)
	}
	for _, r := range spec.Rlimits {
		limit := syscall.Rlimit{Cur: r.Max, Max: r.Max}
		syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), uintptr(r.Resource), uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
	}
}

const fSetPipeSize = 1031 // F_SETPIPE_SZ, missing from package syscall

// stdoutPipeBytes holds what a program writes while the pump is busy. Pipe
// pages count against a limit of 64 MB a user, so only root, who has no limit,
// is given more than a quarter of a megabyte a process.
const stdoutPipeBytes = 256 << 10

func growPipe(pipe *os.File) {
	size := stdoutPipeBytes
	if os.Getuid() == 0 {
		size = 1 << 20
	}
	if conn, err := pipe.SyscallConn(); err == nil {
		conn.Control(func(fd uintptr) {
			syscall.Syscall(syscall.SYS_FCNTL, fd, fSetPipeSize, uintptr(size))
		})
	}
}

const prSetChildSubreaper = 36

func becomeSubreaper() error {
	_, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetChildSubreaper, 1, 0)
	if errno != 0 {
		return os.NewSyscallError("prctl(PR_SET_CHILD_SUBREAPER)", errno)
	}
	return nil
}
