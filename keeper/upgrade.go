package keeper

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"muster"
)

// StateVersion changes when a newer keeper can not read an older one's state.
const StateVersion = 1

// A state is all a keeper knows, handed to its successor as JSON in an
// unlinked file. Descriptors keep their numbers across exec.
type state struct {
	Version   int            `json:"version"`
	StartedAt time.Time      `json:"started_at"`
	Children  []childState   `json:"children"`
	Kept      map[string]int `json:"kept"`
	Daemon    string         `json:"daemon"`
	Lives     int            `json:"lives"`
}

type childState struct {
	Spec      Spec        `json:"spec"`
	PID       int         `json:"pid"`
	StartedAt time.Time   `json:"started_at"`
	Exit      *Exit       `json:"exit,omitempty"`
	Stdin     int         `json:"stdin"` // -1: none
	Pumps     []pumpState `json:"pumps,omitempty"`
	Pipes     []string    `json:"pipes,omitempty"`
}

type pumpState struct {
	Stream muster.Stream `json:"stream"`
	FD     int           `json:"fd"`
	Tail   []byte        `json:"tail,omitempty"`
	Opened bool          `json:"opened,omitempty"`
}

// become replaces this program by another binary in the same process. The
// parent, and with it every child, every descriptor and every lock, stays; the
// daemon is replaced right after. It returns only when that failed, and then
// nothing has changed.
func (g *guard) become(binary string) error {
	g.mu.Lock()
	daemon, lives := g.id, g.lives
	g.mu.Unlock()
	return g.keeper.onForkThread(func() error {
		// On the thread that forked: exec ends all others, and the end of a
		// thread kills the children it forked.
		k := g.keeper
		k.gate.Lock()
		defer k.gate.Unlock()
		k.mu.Lock()
		defer k.mu.Unlock()
		file, inherited, err := g.writeState(daemon, lives)
		if err != nil {
			return err
		}
		defer file.Close()
		inherited = append(inherited, rawFD(file))
		if err := setInherited(inherited, true); err != nil {
			_ = setInherited(inherited, false)
			return err
		}
		g.config.Binary = binary
		config, _ := json.Marshal(g.config)
		argv := []string{"muster", "keeper", "--resume", fmt.Sprint(rawFD(file)), "--config", string(config)}
		err = syscall.Exec(binary, argv, os.Environ())
		_ = setInherited(inherited, false)
		return fmt.Errorf("exec %s: %w", binary, err)
	})
}

// writeState saves everything and returns the descriptors it speaks of. The
// caller holds the gate and mu: nothing moves.
func (g *guard) writeState(daemon string, lives int) (file *os.File, fds []int, err error) {
	k := g.keeper
	s := state{Version: StateVersion, StartedAt: k.startedAt, Kept: map[string]int{}, Daemon: daemon, Lives: lives}
	for name, f := range k.kept {
		s.Kept[name] = rawFD(f)
		fds = append(fds, rawFD(f))
	}
	for _, c := range k.children {
		cs := c.state()
		s.Children = append(s.Children, cs)
		if cs.Stdin >= 0 {
			fds = append(fds, cs.Stdin)
		}
		for _, p := range cs.Pumps {
			fds = append(fds, p.FD)
		}
	}
	file, err = os.CreateTemp(filepath.Join(g.config.Home, "run"), "upgrade-*")
	if err != nil {
		return nil, nil, err
	}
	err = errors.Join(os.Remove(file.Name()), json.NewEncoder(file).Encode(s))
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		file.Close()
	}
	return file, fds, err
}

func (c *child) state() childState {
	cs := childState{Spec: c.spec, PID: c.pid, StartedAt: c.startedAt, Exit: c.exit, Stdin: -1, Pipes: c.pipes}
	if c.stdin != nil {
		cs.Stdin = rawFD(c.stdin)
	}
	for _, p := range c.pumps {
		if p.fd >= 0 {
			cs.Pumps = append(cs.Pumps, pumpState{p.stream, p.fd, p.tail, p.opened})
		}
	}
	return cs
}

// resume takes over what the keeper before the exec had.
func (g *guard) resume(file *os.File) error {
	defer file.Close()
	var s state
	if err := json.NewDecoder(file).Decode(&s); err != nil {
		return fmt.Errorf("read the state of the keeper before: %w", err)
	}
	if s.Version != StateVersion {
		return fmt.Errorf("the keeper before left state version %d, this one reads %d", s.Version, StateVersion)
	}
	k := g.keeper
	k.startedAt = s.StartedAt
	for name, fd := range s.Kept {
		syscall.CloseOnExec(fd)
		k.kept[name] = os.NewFile(uintptr(fd), name)
	}
	for _, cs := range s.Children {
		if err := k.adopt(cs); err != nil {
			return err
		}
	}
	for _, c := range k.children {
		if c.exit != nil { // it may have been handed over before this was looked at
			c.exit.Left = k.left(c)
		}
	}
	g.lives = s.Lives
	close(g.begun)
	// The daemon of the keeper before speaks to a socket that did not survive.
	_ = k.Signal(s.Daemon, syscall.SIGKILL, ScopeProcess)
	return nil
}

func (k *Keeper) adopt(cs childState) error {
	c := &child{spec: cs.Spec, pid: cs.PID, startedAt: cs.StartedAt, exit: cs.Exit, pipes: cs.Pipes}
	if cs.Exit == nil {
		process, err := os.FindProcess(cs.PID) // not reaped, so it is still ours
		if err != nil {
			return err
		}
		c.process = process
		k.byPID[c.pid] = c
	}
	if cs.Stdin >= 0 {
		syscall.CloseOnExec(cs.Stdin)
		c.stdin = os.NewFile(uintptr(cs.Stdin), "stdin")
	}
	k.children[c.spec.ID] = c
	if len(cs.Pumps) > 0 {
		k.resumePumps(c, cs.Pumps)
	}
	return nil
}

func (k *Keeper) resumePumps(c *child, pumps []pumpState) {
	sink := k.sink(c.spec)
	for _, ps := range pumps {
		syscall.CloseOnExec(ps.FD)
		p := newPump(&k.gate, os.NewFile(uintptr(ps.FD), string(ps.Stream)), ps.Stream, sink)
		p.tail, p.opened = ps.Tail, ps.Opened
		c.pumps = append(c.pumps, p)
		k.running.Go(p.run)
	}
}

func rawFD(file *os.File) int {
	fd := -1
	if conn, err := file.SyscallConn(); err == nil {
		conn.Control(func(raw uintptr) { fd = int(raw) })
	}
	return fd
}

func setInherited(fds []int, inherited bool) error {
	flag := syscall.FD_CLOEXEC
	if inherited {
		flag = 0
	}
	var errs []error
	for _, fd := range fds {
		if _, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_SETFD, uintptr(flag)); errno != 0 {
			errs = append(errs, os.NewSyscallError("fcntl", errno))
		}
	}
	return errors.Join(errs...)
}

// CanResume is what `muster keeper --can-resume` prints: a newer binary must
// print the same for the one that runs to hand its state over.
func CanResume() string { return fmt.Sprintf("muster keeper state %d", StateVersion) }
