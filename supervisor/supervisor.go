package supervisor

import (
	"context"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"
	"time"

	"muster"
	"muster/formation"
	"muster/keeper"
)

// A Keeper holds processes: the keeper's client in the daemon, the keeper
// itself in dev.
type Keeper interface {
	Spawn(keeper.Spec, []*os.File) (keeper.Held, error)
	Begin(keeper.Spec, []*os.File) (answer func() (keeper.Held, error))
	Signal(id string, sig syscall.Signal, scope keeper.Scope) error
	Tree(id string) ([]int, error)
	Sweep(id string) error
	Forget(id string) error
	Keep(name string, file *os.File) error
	Fetch(name string) (*os.File, error)
	Drop(name string) error
	Tune(keeper.LogSpec) error
	Inventory() (keeper.Inventory, error)
}

// Options are what a Supervisor is built from. Only Keeper is required.
type Options struct {
	Keeper Keeper
	// LogRoot is where slots' log directories are; "" sends lines to the
	// keeper's Sink.
	LogRoot string
	// NotifySocket is where processes send sd_notify messages to; "" where
	// nobody listens.
	NotifySocket string
	// Cgroups makes and finds the cgroup of a slot; nil where there are none.
	Cgroups Cgroups
	// Emit is told of every event, on the owner goroutine: it must not block.
	Emit func(muster.Event)
	// Save is told of every change of a slot, before the event that says so.
	Save func(Record)
	// Lines follows a slot's output since a moment, for "log" probes. Nil: such probes fail.
	Lines func(ctx context.Context, slot muster.Slot, since time.Time) <-chan []byte
	// TerminalType is the process type that is given Terminal (dev --tty).
	TerminalType string
	Terminal     []*os.File
	// Shell runs command lines. Default: bash where there is one, else sh.
	Shell string
}

// Cgroups is a control group for every incarnation of a slot: two of one slot
// live side by side while one replaces the other.
type Cgroups interface {
	// Group makes a group with the limits, and returns its directory. An error
	// that comes with a directory means that a limit is not enforced.
	Group(name string, limits muster.Limits) (dir string, err error)
	// Remove removes the group of a process that has ended.
	Remove(dir string)
	// OOMKills counts the group's processes killed for lack of memory.
	OOMKills(dir string) int
}

// A Supervisor runs formations on this machine.
type Supervisor struct {
	options Options
	inbox   *inbox
	spawns  *inbox // requests to the keeper, carried out one after the other
	done    chan struct{}
	ctx     context.Context // ends with Run; probes and timers live under it
	tasks   sync.WaitGroup

	// Everything below belongs to the owner goroutine.
	apps           map[string]*app
	slots          map[muster.Slot]*slot
	byID           map[string]*slot
	tasksRun       map[string]chan keeper.Exit // probes and stop commands, by ID
	oneoffs        map[string]*oneoff
	waiters        map[*waiter]bool
	listeningPorts map[int]bool // as of listeningAt
	listeningAt    time.Time
	// early are exits that came before Adopt said whose they are; nil after.
	early   map[string]keeper.Exit
	look    *time.Timer // asks the waiters again at lookAt; nil when nothing waits for time
	lookAt  time.Time
	serial  int64
	oomSeen string // oomCounter when it was looked at last
	frozen  bool   // the supervisor is ending: nothing is restarted
}

// New returns a Supervisor; Run makes it work.
func New(options Options) *Supervisor {
	if options.Shell == "" {
		options.Shell = findShell()
	}
	if options.Emit == nil {
		options.Emit = func(muster.Event) {}
	}
	if options.Save == nil {
		options.Save = func(Record) {}
	}
	return &Supervisor{
		options:  options,
		inbox:    newInbox(),
		spawns:   newInbox(),
		done:     make(chan struct{}),
		apps:     map[string]*app{},
		slots:    map[muster.Slot]*slot{},
		byID:     map[string]*slot{},
		tasksRun: map[string]chan keeper.Exit{},
		oneoffs:  map[string]*oneoff{},
		waiters:  map[*waiter]bool{},
		early:    map[string]keeper.Exit{},
		oomSeen:  oomCounter(),
	}
}

// Run is the owner goroutine. It returns after ctx ends; processes run on.
func (s *Supervisor) Run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	s.ctx = ctx
	defer func() {
		cancel()
		close(s.done)
		for _, slot := range s.slots {
			slot.stopTimers()
		}
		s.tasks.Wait()
	}()
	s.tasks.Go(func() { s.spawns.work(ctx) })
	for {
		select {
		case <-s.inbox.ready:
			for _, f := range s.inbox.take() {
				f()
			}
			s.settleWaiters()
		case <-ctx.Done():
			return
		}
	}
}

// post has f run on the owner goroutine, some time. It never waits: who brings
// news of an exit may be who the owner is waiting for.
func (s *Supervisor) post(f func()) { s.inbox.put(f) }

// do runs f on the owner goroutine and waits for it.
func (s *Supervisor) do(f func()) {
	finished := make(chan struct{})
	s.post(func() { f(); close(finished) })
	select {
	case <-finished:
	case <-s.done:
	}
}

// background runs f on a goroutine that Run waits for.
func (s *Supervisor) background(f func()) { s.tasks.Go(f) }

// Exited takes the keeper's word that a process ended. It may be called from
// any goroutine and does not wait.
func (s *Supervisor) Exited(exit keeper.Exit) { s.post(func() { s.exited(exit) }) }

func (s *Supervisor) exited(exit keeper.Exit) {
	if waiting := s.tasksRun[exit.ID]; waiting != nil {
		delete(s.tasksRun, exit.ID)
		waiting <- exit
		return
	}
	if o := s.oneoffs[exit.ID]; o != nil {
		s.oneoffExited(o, exit)
		return
	}
	if slot := s.byID[exit.ID]; slot != nil {
		slot.exited(exit)
	} else if s.early != nil {
		s.early[exit.ID] = exit
	}
}

// after posts f once d has passed.
func (s *Supervisor) after(d time.Duration, f func()) *time.Timer {
	return time.AfterFunc(d, func() { s.post(f) })
}

func (s *Supervisor) emit(slot muster.Slot, e muster.Event) {
	e.At = time.Now()
	e.App, e.Type, e.Slot = slot.App, slot.Type, slot.N
	s.options.Emit(e)
}

func (s *Supervisor) policy(t muster.ProcessType) formation.Policy {
	return formation.PolicyOf(t, rand.Float64)
}
