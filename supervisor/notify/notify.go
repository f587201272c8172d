// Package notify receives systemd's sd_notify messages: a program says READY=1
// on the socket named by NOTIFY_SOCKET when it can do its work.
package notify

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"

	"muster"
	"muster/proctree"
)

// A Socket receives messages.
type Socket struct{ conn *net.UnixConn }

// Listen makes a socket. name begins with "@": it is no file, and everybody on
// the machine may send there; who is believed is decided by the sender.
func Listen(name string) (*Socket, error) {
	if runtime.GOOS != "linux" {
		return nil, fmt.Errorf("readiness by sd_notify is not supported on %s", runtime.GOOS)
	}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("listen for sd_notify: %w", err)
	}
	if err := wantCredentials(conn); err != nil {
		conn.Close()
		return nil, err
	}
	return &Socket{conn}, nil
}

// FromFile takes over a socket that an earlier daemon made.
func FromFile(file *os.File) (*Socket, error) {
	conn, err := net.FilePacketConn(file)
	if err != nil {
		return nil, err
	}
	unix := conn.(*net.UnixConn)
	return &Socket{unix}, wantCredentials(unix)
}

// File returns a duplicate for safe keeping.
func (s *Socket) File() (*os.File, error) { return s.conn.File() }

// Close ends Read.
func (s *Socket) Close() error { return s.conn.Close() }

// Read calls ready for every READY=1, until Close. The kernel says who sent a
// message; what the message says about that is not believed.
func (s *Socket) Read(ready func(pid int)) {
	message, oob := make([]byte, 4<<10), make([]byte, 256)
	for {
		n, oobn, _, _, err := s.conn.ReadMsgUnix(message, oob)
		if err != nil {
			return
		}
		if pid, ok := senderOf(oob[:oobn]); ok && isReady(string(message[:n])) {
			ready(pid)
		}
	}
}

func isReady(message string) bool {
	for _, line := range strings.Split(message, "\n") {
		if line == "READY=1" {
			return true
		}
	}
	return false
}

// SlotOf finds whose tree a process belongs to, by the mark in its environment.
// Anybody can set that, so the process must also descend from the keeper.
func SlotOf(pid, keeper int) (slot muster.Slot, ok bool) {
	if !descends(pid, keeper) {
		return slot, false
	}
	environ, err := proctree.Environ(pid)
	if err != nil {
		return slot, false
	}
	var process string
	for _, entry := range strings.Split(string(environ), "\x00") {
		if v, found := strings.CutPrefix(entry, "MUSTER_APP="); found {
			slot.App = v
		}
		if v, found := strings.CutPrefix(entry, "MUSTER_PROCESS="); found {
			process = v
		}
	}
	slot.Type, slot.N, ok = muster.ParseSlotName(process)
	return slot, ok && slot.App != ""
}

// maxDepth bounds a walk up a tree that changes meanwhile.
const maxDepth = 100

func descends(pid, ancestor int) bool {
	for range maxDepth {
		if pid == ancestor {
			return true
		}
		p, ok := proctree.Stat(pid)
		if !ok || p.PPID <= 0 {
			return false
		}
		pid = p.PPID
	}
	return false
}
