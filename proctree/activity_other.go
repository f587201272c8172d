//go:build !linux

package proctree

import "time"

// Activity is not known here.
func Activity(int) (ran time.Duration, sleeps, ok bool) { return 0, false, false }
