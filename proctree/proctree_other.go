//go:build !linux

package proctree

import (
	"errors"
	"fmt"
	"runtime"
	"time"
)

func unsupported(what string) error {
	return fmt.Errorf("%s: not supported on %s, which has no /proc: %w", what, runtime.GOOS, errors.ErrUnsupported)
}

// Available is false: there is no /proc.
func Available() bool { return false }

// Scan is not supported.
func Scan() (Snapshot, error) { return Snapshot{}, unsupported("list processes") }

// Stat finds nothing.
func Stat(int) (Proc, bool) { return Proc{}, false }

// BootTime is not supported.
func BootTime() (time.Time, error) { return time.Time{}, unsupported("read the time of boot") }

// Environ is not supported.
func Environ(int) ([]byte, error) { return nil, unsupported("read an environment") }

// HasEnv is false: the environment can not be read.
func HasEnv(int, ...string) bool { return false }

// Listeners is not supported.
func Listeners() ([]Listener, error) { return nil, unsupported("list listening sockets") }

// TCPListeners is not supported.
func TCPListeners() ([]Listener, error) { return nil, unsupported("list listening sockets") }

// Listening finds nothing.
func Listening(int) ([]uint64, bool) { return nil, false }

// SocketInodes is not supported.
func SocketInodes(int) ([]uint64, error) { return nil, unsupported("list sockets") }

// Owns is not supported.
func Owns(int, ...uint64) (bool, error) { return false, unsupported("list sockets") }

// ListeningPorts finds nothing.
func ListeningPorts([]int) []int { return nil }

// PortOwner finds nobody.
func PortOwner(int) (pid int, comm string, ok bool) { return 0, "", false }
