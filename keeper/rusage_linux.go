package keeper

import "syscall"

// maxRSSBytes: Linux counts kilobytes.
func maxRSSBytes(usage syscall.Rusage) int64 { return usage.Maxrss << 10 }
