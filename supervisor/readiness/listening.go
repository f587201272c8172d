package readiness

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"muster/proctree"
)

// listening asks whether a process of the tree listens on the port. Whether
// anybody does is cheap to know and asked first; whose the socket is takes
// looking through descriptors. Without /proc, whoever takes connections counts.
func listening(port int, t Target) asker {
	if !proctree.Available() {
		return anyLoopback(port)
	}
	return func(context.Context) error {
		inodes, ok := proctree.Listening(port)
		if ok && holds(t.pids(), port, inodes) {
			return nil
		}
		return absent(func() string { return notListening(port, t) })
	}
}

// holds reports whether any of the processes has one of the sockets open. A
// program with privileges of its own hides its descriptors from its own user;
// then the socket is taken for its, unless somebody else is known to hold it.
func holds(pids []int, port int, inodes []uint64) bool {
	hidden := false
	for _, pid := range pids {
		owns, err := proctree.Owns(pid, inodes...)
		if owns {
			return true
		}
		hidden = hidden || errors.Is(err, fs.ErrPermission)
	}
	if !hidden {
		return false
	}
	_, _, known := proctree.PortOwner(port)
	return !known
}

// notListening tells what the tree does in place of listening on port.
func notListening(port int, t Target) string {
	pids := t.pids()
	if pid, comm, ok := proctree.PortOwner(port); ok && !slices.Contains(pids, pid) {
		return fmt.Sprintf("port %d is taken by process %d (%s), which is not one of its own", port, pid, comm)
	}
	complaint := fmt.Sprintf("nothing of its process tree listens on port %d", port)
	if others := proctree.ListeningPorts(pids); len(others) > 0 {
		complaint += "; it listens on " + list(others)
	}
	return complaint
}

func list(ports []int) string {
	words := make([]string, len(ports))
	for i, port := range ports {
		words[i] = strconv.Itoa(port)
	}
	return strings.Join(words, ", ")
}

// anyLoopback asks both addresses a server may mean by localhost.
func anyLoopback(port int) asker {
	v4, v6 := tcpConnect("127.0.0.1", port), tcpConnect("::1", port)
	return func(ctx context.Context) error {
		err := v4(ctx)
		if err == nil || v6(ctx) == nil {
			return nil
		}
		return err
	}
}
