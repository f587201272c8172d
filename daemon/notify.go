package daemon

import (
	"context"
	"net"
	"os"
	"strings"

	"muster"
	"muster/proctree"
)

// listenNotify takes over the socket processes send sd_notify messages to, or
// makes it.
func (d *Daemon) listenNotify() (*net.UnixConn, error) {
	file, err := d.keeper.Fetch(notifySocketName)
	if err != nil {
		file, err = d.makeNotifySocket()
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	conn, err := net.FilePacketConn(file)
	if err != nil {
		return nil, err
	}
	unix := conn.(*net.UnixConn)
	return unix, wantCredentials(unix)
}

func (d *Daemon) makeNotifySocket() (*os.File, error) {
	path := d.Home.NotifySocket()
	_ = os.Remove(path)
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	file, err := conn.File()
	if err != nil {
		return nil, err
	}
	// Processes may run as other users: they may send here, and nothing else.
	if err := os.Chmod(path, 0o666); err == nil {
		err = d.keeper.Keep(notifySocketName, file)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// readNotify passes READY=1 on to the process it came from. The kernel says
// who sent a message; what the message says about that is not believed.
func (d *Daemon) readNotify(ctx context.Context, conn *net.UnixConn) {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	message, oob := make([]byte, 4<<10), make([]byte, 256)
	for {
		n, oobn, _, _, err := conn.ReadMsgUnix(message, oob)
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			continue
		}
		pid, ok := senderOf(oob[:oobn])
		if !ok || !isReady(string(message[:n])) {
			continue
		}
		if slot, ok := d.slotOfPID(pid); ok {
			d.engine.Notify(slot, true)
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

// slotOfPID finds whose tree a process belongs to, by the mark it was born
// with.
func (d *Daemon) slotOfPID(pid int) (muster.Slot, bool) {
	environ, err := proctree.Environ(pid)
	if err != nil {
		return muster.Slot{}, false
	}
	return slotOfMark(environ)
}
