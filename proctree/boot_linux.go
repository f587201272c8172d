package proctree

import (
	"fmt"
	"syscall"
	"time"
	"unsafe"
)

// clockBoottime is CLOCK_BOOTTIME: since boot, with the time spent asleep, and
// the clock that Proc.Start counts.
const clockBoottime = 7

// BootTime returns when the machine started, by its clock of today. Ask again
// after the clock was set.
func BootTime() (time.Time, error) {
	var since syscall.Timespec
	_, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clockBoottime, uintptr(unsafe.Pointer(&since)), 0)
	if errno != 0 {
		return time.Time{}, fmt.Errorf("read the clock since boot: %w", errno)
	}
	return time.Now().Round(0).Add(-time.Duration(since.Nano())), nil
}
