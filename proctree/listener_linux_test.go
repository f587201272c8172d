package proctree_test

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"

	"muster/proctree"
)

func listen(t *testing.T, network, address string) (netip.AddrPort, int) {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Skipf("listen on %s %s: %v", network, address, err)
	}
	t.Cleanup(func() { l.Close() })
	addr := l.Addr().(*net.TCPAddr).AddrPort()
	return addr, int(addr.Port())
}

func TestListening(t *testing.T) {
	for _, tt := range []struct{ network, address string }{
		{"tcp4", "127.0.0.1:0"}, {"tcp6", "[::1]:0"}, {"tcp", ":0"},
	} {
		t.Run(tt.network, func(t *testing.T) {
			_, port := listen(t, tt.network, tt.address)
			inodes, ok := proctree.Listening(port)
			if !ok {
				t.Fatalf("nothing listens on %d", port)
			}
			if owns, err := proctree.Owns(os.Getpid(), inodes...); !owns || err != nil {
				t.Errorf("this process owns one of %v: %v, %v", inodes, owns, err)
			}
			if owns, err := proctree.Owns(os.Getppid(), inodes...); owns && err == nil {
				t.Errorf("the parent owns one of %v too", inodes)
			}
			if pid, comm, ok := proctree.PortOwner(port); pid != os.Getpid() || comm == "" || !ok {
				t.Errorf("the owner of %d is %d %q, %v", port, pid, comm, ok)
			}
		})
	}
}

func TestNotListening(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	if inodes, ok := proctree.Listening(port); ok {
		t.Errorf("%v listen on a closed port", inodes)
	}
	if pid, _, ok := proctree.PortOwner(port); ok {
		t.Errorf("%d owns a closed port", pid)
	}
}

// A connected client socket has a port too; it must not count, and neither
// must the connection a server took.
func TestConnectionsAreNotListeners(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	l.Close()
	for _, addr := range []net.Addr{client.LocalAddr(), server.LocalAddr()} {
		if _, ok := proctree.Listening(addr.(*net.TCPAddr).Port); ok {
			t.Errorf("%v counts as listening", addr)
		}
	}
}

func TestListeningPorts(t *testing.T) {
	_, a := listen(t, "tcp", "127.0.0.1:0")
	_, b := listen(t, "tcp", "127.0.0.1:0")
	got := proctree.ListeningPorts([]int{os.Getpid(), 1 << 30})
	if !slices.Contains(got, a) || !slices.Contains(got, b) || !slices.IsSorted(got) {
		t.Errorf("the ports are %v, want %d and %d among them", got, a, b)
	}
	if got := proctree.ListeningPorts(nil); got != nil {
		t.Errorf("nobody listens on %v", got)
	}
}

func TestListeners(t *testing.T) {
	tcp, _ := listen(t, "tcp4", "127.0.0.1:0")
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	path := t.TempDir() + "/a socket"
	unix, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close()

	all, err := proctree.Listeners()
	if err != nil {
		t.Fatal(err)
	}
	own, err := proctree.SocketInodes(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []proctree.Listener{
		{Network: "tcp", Addr: tcp},
		{Network: "udp", Addr: udp.LocalAddr().(*net.UDPAddr).AddrPort()},
		{Network: "unix", Path: path},
	} {
		i := slices.IndexFunc(all, func(l proctree.Listener) bool {
			return l.Network == want.Network && l.Addr == want.Addr && l.Path == want.Path
		})
		if i < 0 {
			t.Errorf("%+v is not among the listeners", want)
		} else if !slices.Contains(own, all[i].Inode) {
			t.Errorf("%+v is not among this process's sockets", all[i])
		}
	}
}
