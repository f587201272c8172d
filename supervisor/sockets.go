package supervisor

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"muster"
	"muster/formation"
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

// openSockets opens what a process type asks for and the keeper does not hold
// yet. It is asked before every start: a port that was taken may be free now.
func (s *Supervisor) openSockets(a *app, typ string) error {
	t := a.App.Type(typ)
	if t == nil || len(t.Sockets) == 0 {
		return nil
	}
	held, err := s.heldFiles()
	if err != nil {
		return err
	}
	for _, socket := range t.Sockets {
		if name := socketName(a.App.Name, typ, socket); !held[name] {
			if err := s.openSocket(name, socket); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Supervisor) heldFiles() (map[string]bool, error) {
	inventory, err := s.options.Keeper.Inventory()
	held := map[string]bool{}
	for _, name := range inventory.Files {
		held[name] = true
	}
	return held, err
}

// dropSockets gives up what the app's types no longer ask for.
func (s *Supervisor) dropSockets(a *app) {
	wanted := map[string]bool{}
	for _, t := range a.App.Types {
		for _, name := range socketNames(a.App.Name, t) {
			wanted[name] = true
		}
	}
	held, _ := s.heldFiles()
	for name := range held {
		if strings.HasPrefix(name, socketPrefix+a.App.Name+"/") && !wanted[name] {
			_ = s.options.Keeper.Drop(name)
		}
	}
}

func (s *Supervisor) closeSockets(a *app) {
	s.dropSockets(&app{Desired: formation.Desired{App: &muster.App{Name: a.App.Name}}})
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
// file, in blocking mode as systemd passes sockets: a plain accept would fail
// on one that is not.
func Listen(socket muster.Socket) (*os.File, error) {
	file, err := listen(socket)
	if err != nil {
		return nil, err
	}
	return file, setBlocking(file)
}

func setBlocking(file *os.File) error {
	conn, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var serr error
	err = conn.Control(func(fd uintptr) { serr = syscall.SetNonblock(int(fd), false) })
	return errors.Join(err, serr)
}

// listen opens the socket. Multipath TCP is off: socket filters are refused on
// it, and it costs speed.
func listen(socket muster.Socket) (*os.File, error) {
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
