package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"muster"
)

// socketPrefix begins the names of listening sockets among the kept
// descriptors: "socket:shop/web/tcp:8080".
const socketPrefix = "socket:"

func socketName(app, typ string, s muster.Socket) string {
	return socketPrefix + app + "/" + typ + "/" + s.String()
}

func socketNames(app string, t muster.ProcessType) []string {
	var names []string
	for _, s := range t.Sockets {
		names = append(names, socketName(app, t.Name, s))
	}
	return names
}

// openSockets opens what the app's types ask for and the keeper does not hold
// yet, and gives up what they no longer ask for.
func (s *Supervisor) openSockets(a *app) {
	inventory, err := s.options.Keeper.Inventory()
	if err != nil {
		return
	}
	held := map[string]bool{}
	for _, name := range inventory.Files {
		held[name] = true
	}
	wanted := map[string]bool{}
	for _, t := range a.App.Types {
		for _, socket := range t.Sockets {
			name := socketName(a.App.Name, t.Name, socket)
			wanted[name] = true
			if held[name] || a.count(&t) == 0 {
				continue
			}
			if err := s.openSocket(name, socket); err != nil {
				slot := muster.Slot{App: a.App.Name, Type: t.Name}
				s.emit(slot, muster.Event{Kind: muster.EventWarning, Message: fmt.Sprintf("%s: %v", t.Name, err)})
			}
		}
	}
	for name := range held {
		if strings.HasPrefix(name, socketPrefix+a.App.Name+"/") && !wanted[name] {
			_ = s.options.Keeper.Drop(name)
		}
	}
}

func (s *Supervisor) closeSockets(a *app) {
	inventory, _ := s.options.Keeper.Inventory()
	for _, name := range inventory.Files {
		if strings.HasPrefix(name, socketPrefix+a.App.Name+"/") {
			_ = s.options.Keeper.Drop(name)
		}
	}
}

func (s *Supervisor) openSocket(name string, socket muster.Socket) error {
	file, err := Listen(socket)
	if err != nil {
		return err
	}
	defer file.Close()
	return s.options.Keeper.Keep(name, file)
}

// Listen opens a listening (or, for UDP, bound) socket and returns it as a
// file. Multipath TCP is off: socket filters are refused on it, and it costs
// speed.
func Listen(socket muster.Socket) (*os.File, error) {
	var config net.ListenConfig
	config.SetMultipathTCP(false)
	switch socket.Network {
	case "udp", "udp4", "udp6":
		conn, err := config.ListenPacket(context.Background(), socket.Network, socket.Address)
		if err != nil {
			return nil, explainListen(socket, err)
		}
		defer conn.Close()
		return conn.(*net.UDPConn).File()
	case "unix":
		return listenUnix(socket)
	}
	l, err := config.Listen(context.Background(), socket.Network, socket.Address)
	if err != nil {
		return nil, explainListen(socket, err)
	}
	defer l.Close()
	return l.(*net.TCPListener).File()
}

// listenUnix replaces a socket file nobody answers on: the one of a Muster that
// died.
func listenUnix(socket muster.Socket) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(socket.Address), 0o755); err != nil {
		return nil, explainListen(socket, err)
	}
	if conn, err := net.Dial("unix", socket.Address); err == nil {
		conn.Close()
		return nil, explainListen(socket, syscall.EADDRINUSE)
	}
	if info, err := os.Lstat(socket.Address); err == nil && info.Mode()&fs.ModeSocket != 0 {
		_ = os.Remove(socket.Address)
	}
	l, err := net.Listen("unix", socket.Address)
	if err != nil {
		return nil, explainListen(socket, err)
	}
	unix := l.(*net.UnixListener)
	unix.SetUnlinkOnClose(false)
	defer unix.Close()
	return unix.File()
}

func explainListen(socket muster.Socket, err error) error {
	hint := ""
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		hint = "another address, or stopping who has this one"
	case errors.Is(err, syscall.EACCES):
		hint = "a port from 1024 on, or running Muster as root"
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		err = errno
	}
	return muster.Errorf(muster.CodeFailed, hint, "listen on %s: %w", socket, err)
}
