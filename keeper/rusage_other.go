//go:build !linux

package keeper

import "syscall"

// maxRSSBytes: the BSDs count bytes.
func maxRSSBytes(usage syscall.Rusage) int64 { return usage.Maxrss }
