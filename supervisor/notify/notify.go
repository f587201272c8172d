// Package notify receives systemd's sd_notify messages: a program says READY=1
// on the socket named by NOTIFY_SOCKET when it can do its work.
package notify

import (
	"net"
	"os"
	"strings"

	"muster"
	"muster/proctree"
)

// A Socket receives messages.
type Socket struct{ conn *net.UnixConn }

// Listen makes the socket file. Processes may run as other users, so everybody
// may send; the directory above decides who gets that far.
func Listen(path string) (*Socket, error) {
	_ = os.Remove(path)
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return nil, err
	}
	if err = os.Chmod(path, 0o666); err == nil {
		err = wantCredentials(conn)
	}
	if err != nil {
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

// Close ends Read. The socket file stays.
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
func SlotOf(pid int) (slot muster.Slot, ok bool) {
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
