package proctree

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// family is init with a shell that runs two programs, one with a child of its
// own, and an orphan of the shell's session. It is out of order on purpose.
func family() Snapshot {
	return newSnapshot([]Proc{
		{PID: 40, PPID: 10, PGID: 40, SID: 10},
		{PID: 1},
		{PID: 10, PPID: 1, PGID: 10, SID: 10},
		{PID: 30, PPID: 10, PGID: 30, SID: 10},
		{PID: 20, PPID: 30, PGID: 30, SID: 10}, // younger than its parent: pids wrapped
		{PID: 50, PPID: 1, PGID: 30, SID: 10},
		{PID: 60, PPID: 1, PGID: 60, SID: 60},
	})
}

func TestSnapshot(t *testing.T) {
	s := family()
	for _, tt := range []struct {
		name string
		got  []Proc
		want []int
	}{
		{"children", s.Children(10), []int{30, 40}},
		{"children of the first", s.Children(1), []int{10, 50, 60}},
		{"no children", s.Children(60), nil},
		{"descendants", s.Descendants(10), []int{10, 30, 40, 20}},
		{"descendants of a leaf", s.Descendants(20), []int{20}},
		{"descendants of nobody", s.Descendants(99), nil},
		{"session", s.Session(10), []int{10, 20, 30, 40, 50}},
		{"group", s.Group(30), []int{20, 30, 50}},
		{"all", s.All(), []int{1, 10, 20, 30, 40, 50, 60}},
	} {
		var got []int
		for _, p := range tt.got {
			got = append(got, p.PID)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestDescendantsEndInACircle(t *testing.T) {
	s := newSnapshot([]Proc{{PID: 10, PPID: 20}, {PID: 20, PPID: 10}})
	if got := len(s.Descendants(10)); got != 2 {
		t.Errorf("%d processes, want 2", got)
	}
}

func TestDescendantsOfOneThatEndedMeanwhile(t *testing.T) {
	s := newSnapshot([]Proc{{PID: 20, PPID: 10}, {PID: 30, PPID: 20}})
	if got := len(s.Descendants(10)); got != 2 {
		t.Errorf("%d processes, want 2", got)
	}
}

func TestTCPPorts(t *testing.T) {
	listeners := []Listener{
		{Network: "tcp", Addr: netip.MustParseAddrPort("0.0.0.0:8080"), Inode: 1},
		{Network: "tcp6", Addr: netip.MustParseAddrPort("[::]:8080"), Inode: 2},
		{Network: "tcp", Addr: netip.MustParseAddrPort("127.0.0.1:80"), Inode: 3},
		{Network: "udp", Addr: netip.MustParseAddrPort("0.0.0.0:53"), Inode: 4},
		{Network: "tcp", Addr: netip.MustParseAddrPort("0.0.0.0:22"), Inode: 5},
	}
	if diff := cmp.Diff([]int{80, 8080}, TCPPorts(listeners, []uint64{3, 1, 2, 4})); diff != "" {
		t.Errorf("ports (-want +got):\n%s", diff)
	}
}
