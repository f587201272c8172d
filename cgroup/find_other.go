//go:build !linux

package cgroup

import (
	"errors"
	"fmt"
	"runtime"
)

// Find is not supported: control groups are Linux's.
func Find() (*Root, error) {
	return nil, fmt.Errorf("find control groups: not supported on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}
