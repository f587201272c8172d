package keeper

import (
	"fmt"

	"os"
	"strings"

	"sync"
	"syscall"
	"time"

	"muster/footprint"
)

// A guard keeps one daemon alive.
type guard struct {
	keeper  *Keeper
	config  Config
	stop    chan struct{} // closed to end the keeper
	exits   chan Exit     // of daemons
	trimmer *footprint.Trimmer
	begun   chan struct{} // closed once a daemon was ready
	// becomeQuiet lets go of the standard error of whoever started Muster,
	// once there is nothing left to tell them.
	becomeQuiet sync.Once

	mu      sync.Mutex // guards what follows
	lives   int        // daemons started
	id      string     // of the living one
	session *session
	ready   bool   // this daemon answered commands
	fatal   string // why this daemon could not start
	ending  bool
	err     error
}

// daemonPrefix begins the ID of every daemon.
const daemonPrefix = "muster/daemon.1@"

// daemonBackoffMax bounds the pause between daemons that never get ready. A
// daemon that was ready is replaced at once: people wait for their commands.
const daemonBackoffMax = 5 * time.Second

// run starts daemons until the end is asked for, or the very first one says
// that it can not start.
func (g *guard) run() {
	pause := time.Duration(0)
	for {
		err := g.live()
		switch {
		case g.isOver(err):
			g.endAll()
			close(g.stop)
			return
		case err == nil && g.wasReady():
			pause = 0
		default:
			pause = min(max(2*pause, 100*time.Millisecond), daemonBackoffMax)
		}
		select {
		case <-time.After(pause):
		case <-g.keeper.done:
			return
		}
	}
}

func (g *guard) wasReady() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.ready
}

// isOver decides whether another daemon should be started.
func (g *guard) isOver(err error) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ending {
		return true
	}
	select {
	case <-g.begun:
		return false
	default:
	}
	inventory, _ := g.keeper.Inventory()
	if len(inventory.Processes) > 0 {
		return false // there is something to take care of: keep trying
	}
	switch {
	case err != nil:
		g.err = err
	case g.fatal != "":
		g.err = fmt.Errorf("%s", g.fatal)
	default:
		g.err = fmt.Errorf("the daemon ended before it was ready; see %s", g.config.logDir())
	}
	return true
}

// live runs one daemon from birth to death.
func (g *guard) live() error {
	ours, theirs, err := socketPair()
	if err != nil {
		return err
	}
	w, err := newWire(ours)
	ours.Close()
	if err != nil {
		theirs.Close()
		return err
	}
	held, err := g.spawnDaemon(theirs)
	theirs.Close()
	if err != nil {
		w.close()
		return err
	}
	s := g.newSession(w, held.ID)
	served := make(chan struct{})
	go func() { s.serve(); close(served) }()
	<-g.exits
	w.close()
	<-served
	g.mu.Lock()
	g.session = nil
	g.mu.Unlock()
	return g.keeper.Forget(held.ID)
}

func (g *guard) spawnDaemon(socket *os.File) (Held, error) {
	g.mu.Lock()
	g.lives++
	g.id = fmt.Sprintf("%s%d.%d", daemonPrefix, os.Getpid(), g.lives)
	id := g.id
	g.ready, g.fatal = false, ""
	g.mu.Unlock()
	const name = "muster:daemon"
	if err := g.keeper.Keep(name, socket); err != nil {
		return Held{}, err
	}
	defer g.keeper.Drop(name)
	return g.keeper.Spawn(Spec{
		ID: id, Argv: append([]string{g.config.Binary}, g.config.DaemonArgs...),
		Env: g.daemonEnv(), Dir: g.config.Home, Sockets: []string{name},
		Log: LogSpec{Dir: g.config.logDir(), SegmentBytes: 1 << 20, MaxBytes: 4 << 20},
	}, nil)
}

func (g *guard) daemonEnv() []string {
	env := os.Environ()
	if g.config.Cgroup != "" {
		env = append(env, CgroupVariable+"="+g.config.Cgroup)
	}
	return env
}

func (g *guard) newSession(w *wire, id string) *session {
	s := &session{keeper: g.keeper, wire: w, busy: g.trimmer.Busy, become: g.become, end: g.endAll, ready: g.markReady, fatal: g.markFatal}
	g.mu.Lock()
	g.session = s
	g.mu.Unlock()
	return s
}

func (g *guard) markReady() {
	g.trimmer.Busy()
	g.becomeQuiet.Do(func() { redirectStderr(g.config.stderrFile()) })
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ready = true
	select {
	case <-g.begun:
	default:
		close(g.begun)
	}
	_ = os.Remove(g.config.FatalFile())
}

// markFatal leaves the reason where a command that gets no answer finds it.
func (g *guard) markFatal(reason string) {
	g.mu.Lock()
	g.fatal = reason
	g.mu.Unlock()
	_ = os.WriteFile(g.config.FatalFile(), []byte(reason+"\n"), 0o600)
}

// exited hands an end to whom it concerns. With no daemon there is nobody to
// tell: the next one asks for the inventory.
func (g *guard) exited(exit Exit) {
	g.mu.Lock()
	id, s := g.id, g.session
	g.mu.Unlock()
	switch {
	case exit.ID == id:
		g.exits <- exit
	case strings.HasPrefix(exit.ID, daemonPrefix): // of the keeper before an upgrade
		_ = g.keeper.Forget(exit.ID)
	case s != nil:
		s.notice(noticeExit, exit)
	}
}

// terminate asks the daemon to stop everything in order; without one, or when
// asked a second time, the keeper ends at once.
func (g *guard) terminate() {
	g.mu.Lock()
	s, again := g.session, g.ending
	g.ending = true
	ready := g.ready
	g.mu.Unlock()
	if s != nil && ready && !again {
		s.notice(noticeTerminate, nil)
		return
	}
	g.endAll()
}

// endAll kills what is held, the daemon last, and lets the keeper end.
func (g *guard) endAll() {
	g.mu.Lock()
	g.ending = true
	daemon := g.id
	g.mu.Unlock()
	inventory, _ := g.keeper.Inventory()
	var sweeps sync.WaitGroup
	for _, held := range inventory.Processes {
		if held.ID != daemon {
			sweeps.Go(func() { _ = g.keeper.Sweep(held.ID) })
		}
	}
	sweeps.Wait()
	g.keeper.SweepStrays(g.daemonPID(daemon, inventory))
	_ = g.keeper.Signal(daemon, syscall.SIGKILL, ScopeProcess)
}

func (g *guard) daemonPID(id string, inventory Inventory) int {
	for _, held := range inventory.Processes {
		if held.ID == id {
			return held.PID
		}
	}
	return 0
}

func socketPair() (ours, theirs *os.File, err error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	for _, fd := range fds {
		syscall.CloseOnExec(fd)
	}
	return os.NewFile(uintptr(fds[0]), "daemon"), os.NewFile(uintptr(fds[1]), "keeper"), nil
}
