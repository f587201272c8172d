package keeper

import (
	"errors"
	"fmt"
	"os"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"

	"muster"
)

// Options set a Keeper up. The zero value is right for tests.
type Options struct {
	// Subreaper makes orphaned grandchildren the keeper's own, so that they
	// can be found and ended. The process must then start nothing by any other
	// way, for the keeper reaps whatever ends.
	Subreaper bool
	// Sink takes the lines of processes whose LogSpec has no directory.
	Sink func(Spec) Sink
	// Exited is told of every end, in order, on a goroutine of the keeper.
	Exited func(Exit)
}

// A Keeper holds processes and descriptors. Its methods may be called from any
// goroutine.
type Keeper struct {
	options   Options
	startedAt time.Time
	forks     chan func()
	exits     chan Exit
	done      chan struct{}
	running   sync.WaitGroup

	// gate is held for reading while a pump moves data, and for writing while
	// an upgrade wants every byte to be in a pipe, in the state or on disk.
	gate sync.RWMutex

	// mu guards what follows. It is held across fork and wait, so that an exit
	// can not be seen before its process is in the table.
	mu       sync.Mutex
	children map[string]*child
	byPID    map[int]*child
	kept     map[string]*os.File
	logs     map[string]*segmentLog
}

// A child is one process the keeper started and has not forgotten.
type child struct {
	spec      Spec
	pid       int
	process   *os.Process // holds a pidfd: a signal can not reach a later owner of the pid
	startedAt time.Time
	exit      *Exit
	stdin     *os.File
	pumps     []*pump
	pipes     []string // see pipeNames
}

// New returns a Keeper that forks once Run is running.
func New(options Options) *Keeper {
	return &Keeper{
		options:   options,
		startedAt: time.Now(),
		forks:     make(chan func()),
		exits:     make(chan Exit, 64),
		done:      make(chan struct{}),
		children:  map[string]*child{},
		byPID:     map[int]*child{},
		kept:      map[string]*os.File{},
		logs:      map[string]*segmentLog{},
	}
}

// errUnknown is what every operation on an ID answers after Forget.
var errUnknown = errors.New("no such process")

func (k *Keeper) child(id string) (*child, error) {
	c := k.children[id]
	if c == nil {
		return nil, fmt.Errorf("%s: %w", id, errUnknown)
	}
	return c, nil
}

// Spawn starts a process. With spec.Files, files are its stdin, stdout and
// stderr; the caller keeps and closes its own copies.
func (k *Keeper) Spawn(spec Spec, files []*os.File) (Held, error) {
	var held Held
	err := k.onForkThread(func() (err error) {
		held, err = k.spawn(spec, files)
		return err
	})
	return held, err
}

// Begin is Spawn for callers that speak to a Keeper and to a Client alike. Here
// there is nothing to wait for.
func (k *Keeper) Begin(spec Spec, files []*os.File) (answer func() (Held, error)) {
	held, err := k.Spawn(spec, files)
	return func() (Held, error) { return held, err }
}

// Signal sends sig to the process or its group. A process that has been
// reaped is never signalled; what it left behind is, pid by pid, each proven
// to be its own first.
func (k *Keeper) Signal(id string, sig syscall.Signal, scope Scope) error {
	k.mu.Lock()
	c, err := k.child(id)
	if err != nil {
		k.mu.Unlock()
		return err
	}
	if c.exit == nil {
		defer k.mu.Unlock()
		if scope == ScopeGroup {
			// The leader is not reaped, so its number still names its group.
			return ignoreGone(syscall.Kill(-c.pid, sig))
		}
		return ignoreGone(c.process.Signal(sig))
	}
	k.mu.Unlock()
	if scope == ScopeGroup {
		_, err = k.signalLeft(c, sig)
	}
	return err
}

func ignoreGone(err error) error {
	if errors.Is(err, os.ErrProcessDone) || errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// Forget drops an ended process from the table. Its exit will not be reported
// again.
func (k *Keeper) Forget(id string) error {
	k.mu.Lock()
	c, err := k.child(id)
	if err == nil && c.exit == nil {
		err = fmt.Errorf("%s: still running", id)
	}
	if err != nil {
		k.mu.Unlock()
		return err
	}
	delete(k.children, id)
	k.mu.Unlock()
	for _, p := range c.pumps {
		p.close()
	}
	if c.stdin != nil {
		c.stdin.Close()
	}
	if len(c.pumps) > 0 {
		k.releaseLog(c.spec.Log.Dir)
	}
	return nil
}

// Keep holds a duplicate of a descriptor under a name, replacing one of that
// name.
func (k *Keeper) Keep(name string, file *os.File) error {
	kept, err := duplicate(file)
	if err != nil {
		return fmt.Errorf("keep %s: %w", name, err)
	}
	k.mu.Lock()
	old := k.kept[name]
	k.kept[name] = kept
	k.mu.Unlock()
	if old != nil {
		old.Close()
	}
	return nil
}

// Fetch returns a duplicate of a kept descriptor. The stdin of a process is
// kept under "stdin:" and its ID.
func (k *Keeper) Fetch(name string) (*os.File, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	file := k.kept[name]
	if id, ok := strings.CutPrefix(name, "stdin:"); ok {
		c, err := k.child(id)
		if err != nil {
			return nil, err
		}
		file = c.stdin
	}
	if file == nil {
		return nil, fmt.Errorf("%s: no such descriptor is kept", name)
	}
	return duplicate(file)
}

// Drop closes a kept descriptor; an unknown name is no error.
func (k *Keeper) Drop(name string) error {
	k.mu.Lock()
	file := k.kept[name]
	delete(k.kept, name)
	k.mu.Unlock()
	if file != nil {
		return file.Close()
	}
	return nil
}

// Tune changes how much of a slot's log is kept.
func (k *Keeper) Tune(spec LogSpec) error {
	k.mu.Lock()
	log := k.logs[spec.Dir]
	k.mu.Unlock()
	if log != nil {
		log.tune(spec)
	}
	return nil
}

// Inventory tells everything the keeper holds.
func (k *Keeper) Inventory() (Inventory, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	inv := Inventory{PID: os.Getpid(), Version: muster.Version, StartedAt: k.startedAt}
	for _, c := range k.children {
		inv.Processes = append(inv.Processes, c.held())
	}
	sort.Slice(inv.Processes, func(i, j int) bool { return inv.Processes[i].ID < inv.Processes[j].ID })
	for name := range k.kept {
		inv.Files = append(inv.Files, name)
	}
	sort.Strings(inv.Files)
	return inv, nil
}

func (c *child) held() Held {
	return Held{ID: c.spec.ID, PID: c.pid, StartedAt: c.startedAt, Note: c.spec.Note, Cgroup: c.spec.Cgroup, Exit: c.exit}
}

func duplicate(file *os.File) (*os.File, error) {
	conn, err := file.SyscallConn()
	if err != nil {
		return nil, err
	}
	var fd int
	if cerr := conn.Control(func(raw uintptr) { fd, err = dupCloexec(int(raw)) }); cerr != nil {
		return nil, cerr
	}
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), file.Name()), nil
}

func dupCloexec(fd int) (int, error) {
	n, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, 3)
	if errno != 0 {
		return -1, os.NewSyscallError("dup", errno)
	}
	return int(n), nil
}
