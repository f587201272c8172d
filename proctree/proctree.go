// Package proctree is what /proc knows of processes: who is whose child, which
// session and environment a process carries, and what it listens on.
//
// Trees come from reading every /proc/PID/stat, because not every kernel has
// /proc/PID/task/TID/children and because orphans have to be found as well. A
// Snapshot is not a moment: processes start and end while it is taken. Whoever
// acts on one asks Stat again whether a pid still means the same process, and
// whoever must find everything scans until nothing new turns up.
//
// The package watches; it signals nothing and keeps nothing. It knows the
// network namespace it runs in and no other. Where there is no /proc, scans
// answer with an error that is errors.ErrUnsupported and lookups find nothing.
package proctree

import "time"

// A Proc is one process as /proc/PID/stat described it.
type Proc struct {
	PID  int
	PPID int
	PGID int
	SID  int
	// State is the kernel's letter: R, S, D, Z (ended, not yet reaped), T, ...
	State byte
	// Start is when the process began, in clock ticks since boot. A pid and its
	// Start together are never used twice.
	Start uint64
	// CPU is what all its threads took so far, in user and system mode. It
	// moves in steps of a clock tick, 10 ms.
	CPU time.Duration
	// RSS is resident memory in bytes, with what it shares with others.
	RSS     int64
	Threads int
	// Comm is the name of the executable, cut by the kernel to 15 bytes.
	Comm string
}

// ticksPerSecond is the kernel's USER_HZ, the unit of every time in
// /proc/PID/stat. It is part of the kernel's contract with programs and is 100
// on every architecture Go runs on, whatever the kernel's own HZ.
const ticksPerSecond = 100

// StartedAt returns when the process began, given the time BootTime returned.
func (p Proc) StartedAt(boot time.Time) time.Time { return boot.Add(ticks(p.Start)) }

func ticks(n uint64) time.Duration { return time.Duration(n) * (time.Second / ticksPerSecond) }
