package proctree

import (
	"bytes"
	"os"
	"strconv"
	"time"
)

// Activity tells how long a process's first thread has run so far, to the
// nanosecond, and whether it sleeps now. ok is false where it can not be known.
func Activity(pid int) (ran time.Duration, sleeps, ok bool) {
	now, ok := Stat(pid)
	if !ok {
		return 0, false, false
	}
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/schedstat")
	if err != nil {
		return 0, false, false
	}
	first, _, _ := bytes.Cut(data, []byte(" "))
	n, err := strconv.ParseInt(string(first), 10, 64)
	return time.Duration(n), now.State == 'S', err == nil
}
