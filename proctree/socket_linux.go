package proctree

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"syscall"
	"unsafe"
)

// SocketInodes returns the sockets a process has open. Only the same user and
// root may ask, and only root about a program with privileges of its own.
func SocketInodes(pid int) ([]uint64, error) {
	var inodes []uint64
	err := eachSocket(pid, func(inode uint64) bool {
		inodes = append(inodes, inode)
		return true
	})
	return inodes, err
}

// Owns reports whether a process has one of the sockets open.
func Owns(pid int, inodes ...uint64) (bool, error) {
	owns := false
	err := eachSocket(pid, func(inode uint64) bool {
		owns = slices.Contains(inodes, inode)
		return !owns
	})
	return owns, err
}

// eachSocket calls visit with every socket a process has open, until it
// returns false.
func eachSocket(pid int, visit func(inode uint64) bool) error {
	dir, err := open("/proc/" + strconv.Itoa(pid) + "/fd")
	if err != nil {
		return fmt.Errorf("list the descriptors of process %d: %w", pid, err)
	}
	defer syscall.Close(dir)
	var scratch [4096]byte
	var link [64]byte
	err = eachNumbered(dir, scratch[:], func(_ int, name []byte) error {
		// The name is followed by its NUL in the directory's own entry.
		n := readLinkAt(dir, name[:len(name)+1], link[:])
		if inode, ok := socketInode(link[:n]); ok && !visit(inode) {
			return errStop
		}
		return nil
	})
	if err != nil && err != errStop {
		return fmt.Errorf("list the descriptors of process %d: %w", pid, err)
	}
	return nil
}

var errStop = errors.New("stop")

// socketInode reads "socket:[4711]".
func socketInode(link []byte) (uint64, bool) {
	rest, ok := bytes.CutPrefix(link, []byte("socket:["))
	if !ok {
		return 0, false
	}
	inode, _ := number(rest)
	return inode, true
}

// readLinkAt returns 0 for a descriptor that was closed meanwhile.
func readLinkAt(dir int, name, buf []byte) int {
	n, _, errno := syscall.Syscall6(syscall.SYS_READLINKAT, uintptr(dir), uintptr(unsafe.Pointer(&name[0])),
		uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)), 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// ListeningPorts returns the TCP ports that any of the processes listens on,
// sorted. Who asks for many trees at once reads TCPListeners once and uses
// TCPPorts.
func ListeningPorts(pids []int) []int {
	listeners, err := TCPListeners()
	if err != nil {
		return nil
	}
	var inodes []uint64
	for _, pid := range pids {
		own, _ := SocketInodes(pid) // ended, or not ours to see
		inodes = append(inodes, own...)
	}
	return TCPPorts(listeners, inodes)
}

// PortOwner finds a process that listens on a TCP port, to say who has taken
// it: the one with the lowest pid if several do. It reads the descriptors of
// every process, and finds none where those can not be read.
func PortOwner(port int) (pid int, comm string, ok bool) {
	inodes, taken := Listening(port)
	if !taken {
		return 0, "", false
	}
	snapshot, err := Scan()
	if err != nil {
		return 0, "", false
	}
	for _, p := range snapshot.procs {
		if owns, _ := Owns(p.PID, inodes...); owns {
			return p.PID, p.Comm, true
		}
	}
	return 0, "", false
}
