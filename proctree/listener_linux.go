package proctree

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// TCPListeners returns every listening TCP socket of this network namespace.
func TCPListeners() ([]Listener, error) {
	if found, err := diagnose(0); err == nil {
		return found, nil
	}
	return tabulated()
}

// tabulated is TCPListeners by /proc/net, which is slower and always there.
func tabulated() ([]Listener, error) {
	found, buf, err := listenersIn(nil, "tcp", stateListen, nil)
	if err != nil {
		return nil, err
	}
	found, _, err = listenersIn(found, "tcp6", stateListen, buf)
	return found, err
}

// Listeners returns every socket of this network namespace that others can
// reach: listening TCP, bound and unconnected UDP, and listening unix.
func Listeners() ([]Listener, error) {
	found, err := TCPListeners()
	if err != nil {
		return nil, err
	}
	var buf []byte
	for _, network := range []string{"udp", "udp6"} {
		if found, buf, err = listenersIn(found, network, stateClosed, buf); err != nil {
			return nil, err
		}
	}
	table, err := readTable("unix", buf, readAll)
	unixRows(table, func(path string, inode uint64) {
		found = append(found, Listener{Network: "unix", Path: path, Inode: inode})
	})
	return found, err
}

// listenersIn appends the sockets of one table to found, and returns the
// memory it read the table into.
func listenersIn(found []Listener, network string, state uint64, buf []byte) ([]Listener, []byte, error) {
	read := readAll
	if state == stateListen {
		read = readListening
	}
	table, err := readTable(network, buf, read)
	inetRows(table, state, func(addr netip.AddrPort, inode uint64) {
		found = append(found, Listener{Network: network, Addr: addr, Inode: inode})
	})
	return found, table, err
}

// readListening reads a TCP table as far as its listening sockets go.
func readListening(path string, buf []byte) ([]byte, error) {
	return readUntil(path, buf, pastListening)
}

// readTable reads /proc/net/NETWORK. A kernel built without it (IPv6 most of
// all) has no such file, and no such sockets.
func readTable(network string, buf []byte, read func(string, []byte) ([]byte, error)) ([]byte, error) {
	table, err := read("/proc/net/"+network, buf)
	if err != nil && !errors.Is(err, syscall.ENOENT) {
		return nil, fmt.Errorf("read /proc/net/%s: %w", network, err)
	}
	return table, nil
}

// Listening returns the sockets that listen on a TCP port, on any address. It
// looks at no process and takes microseconds: the question to ask often.
func Listening(port int) (inodes []uint64, ok bool) {
	if port < 1 || port > 65535 {
		return nil, false
	}
	listeners, err := diagnose(port)
	if err != nil {
		listeners, _ = tabulated()
	}
	for _, l := range listeners {
		if int(l.Addr.Port()) == port {
			inodes = append(inodes, l.Inode)
		}
	}
	return inodes, len(inodes) > 0
}
