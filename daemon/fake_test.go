package daemon

import (
	"context"
	"errors"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"muster"
	"muster/events"
	"muster/home"
	"muster/keeper"
	"muster/logs"
	"muster/store"
	"muster/supervisor"
)

// A fakeKeeper's processes exist in memory, and end with any signal.
type fakeKeeper struct {
	mu     sync.Mutex // guards what follows
	pid    int
	living map[string]bool
	exited func(keeper.Exit)
}

func (k *fakeKeeper) Begin(spec keeper.Spec, files []*os.File) func() (keeper.Held, error) {
	held, err := k.Spawn(spec, files)
	return func() (keeper.Held, error) { return held, err }
}

func (k *fakeKeeper) Spawn(spec keeper.Spec, _ []*os.File) (keeper.Held, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pid++
	k.living[spec.ID] = true
	return keeper.Held{ID: spec.ID, PID: 5_000_000 + k.pid, StartedAt: time.Now()}, nil
}

func (k *fakeKeeper) Signal(id string, sig syscall.Signal, _ keeper.Scope) error {
	k.mu.Lock()
	lives := k.living[id]
	delete(k.living, id)
	k.mu.Unlock()
	if lives {
		k.exited(keeper.Exit{ID: id, Code: -1, Signal: int(sig), At: time.Now()})
	}
	return nil
}

func (k *fakeKeeper) Sweep(id string) error {
	return k.Signal(id, syscall.SIGKILL, keeper.ScopeGroup)
}
func (k *fakeKeeper) Tree(string) ([]int, error)           { return nil, nil }
func (k *fakeKeeper) Forget(string) error                  { return nil }
func (k *fakeKeeper) Keep(string, *os.File) error          { return nil }
func (k *fakeKeeper) Fetch(string) (*os.File, error)       { return nil, errors.New("not held") }
func (k *fakeKeeper) Drop(string) error                    { return nil }
func (k *fakeKeeper) Tune(keeper.LogSpec) error            { return nil }
func (k *fakeKeeper) Inventory() (keeper.Inventory, error) { return keeper.Inventory{}, nil }

// newDaemon is a daemon over a fake keeper and a real store, without an API.
func newDaemon(t *testing.T) *Daemon {
	t.Helper()
	h := home.Home(t.TempDir())
	k := &fakeKeeper{living: map[string]bool{}}
	d := &Daemon{Home: h, startedAt: time.Now(), apps: map[string]*record{}}
	var err error
	if d.store, err = store.Open(string(h)); err != nil {
		t.Fatal(err)
	}
	if d.journal, err = events.Open(d.store, func(err error) { t.Error(err) }); err != nil {
		t.Fatal(err)
	}
	d.logs, d.saver, d.watches = logs.Open(h.Logs()), newSaver(d.store), newWatches(d)
	d.engine = supervisor.New(supervisor.Options{Keeper: k, LogRoot: h.Logs(), Emit: d.journal.Append, Save: d.saver.save})
	k.exited = d.engine.Exited
	ctx, cancel := context.WithCancel(context.Background())
	d.background(func() { d.journal.Run(ctx) })
	d.background(func() { d.saver.run(ctx) })
	d.background(func() { d.engine.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		d.tasks.Wait()
		d.store.Close()
	})
	return d
}

func noProgress(Progress) {}

func shop(types ...string) *muster.App {
	a := &muster.App{Name: "shop", Dir: "/shop"}
	for _, name := range types {
		t := muster.ProcessType{Name: name, Command: muster.Command{Argv: []string{name}}}
		a.Types = append(a.Types, t.WithDefaults(a))
	}
	return a
}

func start(t *testing.T, d *Daemon, a *muster.App) Result {
	t.Helper()
	result, err := d.Start(t.Context(), StartRequest{App: a}, noProgress)
	if err != nil {
		t.Fatal(err)
	}
	return result
}
