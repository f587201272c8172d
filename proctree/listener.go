package proctree

import (
	"net/netip"
	"slices"
)

// A Listener is a socket that takes connections or datagrams.
type Listener struct {
	// Network is tcp, tcp6, udp, udp6 or unix.
	Network string
	// Addr is the bound address; unspecified (0.0.0.0, ::) means all of them.
	// It is not set for unix.
	Addr netip.AddrPort
	// Path is set for unix. The name of an abstract socket starts with "@".
	Path string
	// Inode names the socket as SocketInodes does. Several processes may hold
	// the same one.
	Inode uint64
}

func (l Listener) isTCP() bool { return l.Network == "tcp" || l.Network == "tcp6" }

// TCPPorts returns the TCP ports of those listeners that inodes hold, sorted,
// each once.
func TCPPorts(listeners []Listener, inodes []uint64) []int {
	var ports []int
	for _, l := range listeners {
		if l.isTCP() && slices.Contains(inodes, l.Inode) {
			ports = append(ports, int(l.Addr.Port()))
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}
