package supervisor

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
)

// oomCounter is how many processes the kernel has killed for lack of memory
// since it booted.
func oomCounter() string {
	stat, err := os.ReadFile("/proc/vmstat")
	if err != nil {
		return ""
	}
	_, rest, _ := bytes.Cut(stat, []byte("\noom_kill "))
	count, _, _ := bytes.Cut(rest, []byte("\n"))
	return string(count)
}

// kernelKilled reports whether the kernel's log says that it killed a pid for
// lack of memory. The log is readable by root, and by others where
// kernel.dmesg_restrict is 0; elsewhere the answer is no.
func kernelKilled(pid int) bool {
	fd, err := syscall.Open("/dev/kmsg", syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer syscall.Close(fd)
	needle := fmt.Appendf(nil, "Killed process %d ", pid)
	record := make([]byte, 8<<10)
	for {
		n, err := syscall.Read(fd, record)
		switch {
		case err == syscall.EPIPE, err == syscall.EINTR: // overwritten meanwhile: go on with the next
			continue
		case err != nil || n == 0:
			return false
		case bytes.Contains(record[:n], needle):
			return true
		}
	}
}
