package proctree

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"syscall"
)

// The kernel's socket diagnosis over netlink (what ss uses) answers from the
// table of listening sockets alone. /proc/net/tcp walks the table of all
// connections too, which takes milliseconds on any machine, whether it has
// connections or not: too much to ask every few milliseconds for each process
// that starts.
const (
	netlinkSockDiag  = 4  // NETLINK_SOCK_DIAG
	sockDiagByFamily = 20 // SOCK_DIAG_BY_FAMILY
	diagRequestSize  = 56 // struct inet_diag_req_v2
	diagAnswerSize   = 72 // struct inet_diag_msg
)

// diagnose returns the TCP sockets that listen on port, or on any port when it
// is 0. It fails where the kernel or a sandbox does not offer the question.
func diagnose(port int) ([]Listener, error) {
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, netlinkSockDiag)
	if err != nil {
		return nil, fmt.Errorf("open a socket to diagnose sockets: %w", err)
	}
	defer syscall.Close(fd)
	var found []Listener
	buf := make([]byte, 16<<10)
	for _, family := range []byte{syscall.AF_INET, syscall.AF_INET6} {
		if err := syscall.Sendto(fd, diagRequest(family, port), 0, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}); err != nil {
			return nil, fmt.Errorf("ask for listening sockets: %w", err)
		}
		if found, err = diagAnswers(fd, buf, found); err != nil {
			return nil, fmt.Errorf("read the listening sockets: %w", err)
		}
	}
	return found, nil
}

func diagRequest(family byte, port int) []byte {
	request := make([]byte, syscall.NLMSG_HDRLEN+diagRequestSize)
	native := binary.NativeEndian
	native.PutUint32(request, uint32(len(request)))
	native.PutUint16(request[4:], sockDiagByFamily)
	native.PutUint16(request[6:], syscall.NLM_F_REQUEST|syscall.NLM_F_DUMP)
	body := request[syscall.NLMSG_HDRLEN:]
	body[0], body[1] = family, syscall.IPPROTO_TCP
	native.PutUint32(body[4:], 1<<stateListen)
	binary.BigEndian.PutUint16(body[8:], uint16(port))
	return request
}

// diagAnswers appends what the kernel answers to one request to found.
func diagAnswers(fd int, buf []byte, found []Listener) ([]Listener, error) {
	for {
		n, _, err := syscall.Recvfrom(fd, buf, 0)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return nil, err
		}
		messages, err := syscall.ParseNetlinkMessage(buf[:n])
		if err != nil {
			return nil, err
		}
		for _, m := range messages {
			switch m.Header.Type {
			case syscall.NLMSG_DONE, syscall.NLMSG_ERROR:
				return found, netlinkError(m.Data)
			case sockDiagByFamily:
				if l, ok := diagListener(m.Data); ok {
					found = append(found, l)
				}
			}
		}
	}
}

// netlinkError reads the negative errno that ends an answer.
func netlinkError(data []byte) error {
	if len(data) < 4 {
		return nil
	}
	if code := int32(binary.NativeEndian.Uint32(data)); code < 0 {
		return syscall.Errno(-code)
	}
	return nil
}

// diagListener reads a struct inet_diag_msg. Unlike in /proc/net, addresses are
// in network order here.
func diagListener(data []byte) (Listener, bool) {
	if len(data) < diagAnswerSize {
		return Listener{}, false
	}
	l := Listener{Network: "tcp", Inode: uint64(binary.NativeEndian.Uint32(data[68:]))}
	size := 4
	if data[0] == syscall.AF_INET6 {
		l.Network, size = "tcp6", 16
	}
	addr, _ := netip.AddrFromSlice(data[8 : 8+size])
	l.Addr = netip.AddrPortFrom(addr, binary.BigEndian.Uint16(data[4:]))
	return l, true
}
