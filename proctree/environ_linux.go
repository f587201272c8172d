package proctree

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
)

// Environ returns the environment a process was started with, NUL after every
// entry. What it changed since does not show. Only the same user and root may
// read it. A zombie's is empty, and so is that of a process in the middle of
// exec.
func Environ(pid int) ([]byte, error) {
	text, err := readAll("/proc/"+strconv.Itoa(pid)+"/environ", nil)
	if err != nil {
		return nil, fmt.Errorf("read the environment of process %d: %w", pid, err)
	}
	return text, nil
}

// HasEnv reports whether a process was started with every one of entries, each
// in full: "MUSTER_APP=shop". It is false where the environment can not be
// read, and where no entries are given.
func HasEnv(pid int, entries ...string) bool {
	if len(entries) == 0 {
		return false
	}
	environ := settledEnviron(pid)
	for _, entry := range entries {
		if !hasEntry(environ, entry) {
			return false
		}
	}
	return true
}

// settledEnviron outwaits an exec, during which the kernel has dropped the old
// environment and not yet recorded the new one, for at most some milliseconds.
// Without it whoever looks for a mark would miss a process that just starts
// another program.
func settledEnviron(pid int) []byte {
	for range 20 {
		environ, err := Environ(pid)
		if err != nil || len(environ) > 0 {
			return environ
		}
		executing := inExec(pid)
		time.Sleep(100 * time.Microsecond) // the environment is recorded after the arguments
		if !executing {
			break
		}
	}
	environ, _ := Environ(pid)
	return environ
}

// inExec reports whether a living process has no arguments, not even its name:
// they are dropped and recorded together with the environment.
func inExec(pid int) bool {
	p, ok := Stat(pid)
	if !ok || p.State == 'Z' || p.State == 'X' {
		return false
	}
	arguments, err := readAll("/proc/"+strconv.Itoa(pid)+"/cmdline", nil)
	return err == nil && len(arguments) == 0
}

func hasEntry(environ []byte, entry string) bool {
	for one := range bytes.SplitSeq(environ, []byte{0}) {
		if len(one) > 0 && string(one) == entry {
			return true
		}
	}
	return false
}
