package supervisor

import (
	"fmt"
	"net"
	"time"

	"muster"
	"muster/proctree"
)

// foreman's scheme: a hundred ports a process type, one a process.
const (
	DefaultPort   = 5000
	portsPerType  = 100
	largestPort   = 65535
	PortBasePitch = 1000 // between the bases of apps on one machine
)

// assignPorts gives every slot its PORT. A slot keeps its port for life: what
// is written down about it elsewhere stays true.
func (s *Supervisor) assignPorts(a *app) {
	taken := map[int]bool{}
	for _, slot := range s.slots {
		if slot.app != a && slot.port > 0 {
			taken[slot.port] = true
		}
	}
	for i := range a.App.Types {
		t := &a.App.Types[i]
		for _, slot := range s.slotsOf(a, t.Name) {
			want := PortOf(a.App, i, slot.name.N)
			if want == 0 || want > largestPort || taken[want] {
				want = slot.port // chosen when this was found the first time
			}
			if want == 0 || taken[want] {
				want = freePort()
			}
			taken[want] = true
			slot.port = want
		}
	}
}

// PortOf is the PORT that the scheme gives the nth process of the app's type
// number i, counted from 0; 0 when the app wants free ports.
func PortOf(a *muster.App, i, n int) int {
	if p := a.Types[i].Port; p > 0 {
		return p + n - 1
	}
	if a.PortBase <= 0 {
		return 0
	}
	return a.PortBase + portsPerType*i + n - 1
}

// freePort asks the kernel for a port nobody listens on now.
func freePort() int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// ChoosePortBase returns the first base, from DefaultPort on, whose ports for
// the app overlap no other app's and are listened on by nobody.
func ChoosePortBase(a *muster.App, counts map[string]int, others []int) int {
	taken := map[int]bool{}
	listeners, _ := proctree.TCPListeners()
	for _, l := range listeners {
		taken[int(l.Addr.Port())] = true
	}
	for base := DefaultPort; base+portsPerType*len(a.Types) <= largestPort; base += PortBasePitch {
		if !overlaps(base, others) && portsFree(a, counts, base, taken) {
			return base
		}
	}
	return DefaultPort
}

func overlaps(base int, others []int) bool {
	for _, other := range others {
		if base == other {
			return true
		}
	}
	return false
}

func portsFree(a *muster.App, counts map[string]int, base int, taken map[int]bool) bool {
	for i := range a.Types {
		for n := 0; n < counts[a.Types[i].Name]; n++ {
			if taken[base+portsPerType*i+n] {
				return false
			}
		}
	}
	return true
}

// checkPort says so when somebody else listens on the slot's port already. It
// is said and not refused: many processes never use their PORT.
func (l *slot) checkPort() {
	if l.port == 0 || len(l.typ.Sockets) > 0 {
		return
	}
	if l.supervisor.listening()[l.port] {
		l.warn(takenBy(l.port))
	}
}

// listening are the TCP ports somebody listens on. One look serves all starts
// of a moment.
func (s *Supervisor) listening() map[int]bool {
	if time.Since(s.listeningAt) < listeningFor {
		return s.listeningPorts
	}
	s.listeningPorts, s.listeningAt = map[int]bool{}, time.Now()
	listeners, _ := proctree.TCPListeners() // where it can not be known, nothing is said
	for _, l := range listeners {
		s.listeningPorts[int(l.Addr.Port())] = true
	}
	return s.listeningPorts
}

const listeningFor = 100 * time.Millisecond

// takenBy says who listens on a port.
func takenBy(port int) string {
	who := "another program"
	if pid, comm, ok := proctree.PortOwner(port); ok {
		who = fmt.Sprintf("%s (pid %d)", comm, pid)
	}
	return fmt.Sprintf("was given port %d, which %s listens on already; try -p 0 for free ports, or port = in muster.toml", port, who)
}
