package supervisor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"muster"
	"muster/keeper"
)

// A world is a supervisor over a fake keeper, in fake time.
type world struct {
	*testing.T
	keeper *fakeKeeper
	engine *Supervisor
	stop   func() // ends the supervisor as kill -9 ends a daemon

	mu     sync.Mutex // guards what follows
	events []muster.Event
	saved  map[muster.Slot]Record
}

// inWorld runs a story in a bubble of fake time.
func inWorld(t *testing.T, story func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, keeper: newFakeKeeper(), saved: map[muster.Slot]Record{}}
		w.begin()
		defer func() { w.stop() }() // also after Fatal
		story(t, w)
	})
}

// begin starts a supervisor; after stop it is the daemon's successor.
func (w *world) begin() {
	<-time.After(time.Second) // two daemons never begin in one instant
	engine := New(Options{Keeper: w.keeper, Shell: "/bin/sh", Emit: w.emit, Save: w.save})
	w.engine = engine
	w.keeper.exited = engine.Exited
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { engine.Run(ctx) })
	w.stop = func() { cancel(); running.Wait() }
	synctest.Wait()
}

func (w *world) emit(e muster.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if e.Kind == muster.EventWarning && strings.Contains(e.Message, "listens on already") {
		return // what really listens on this machine is no part of the story
	}
	w.events = append(w.events, e)
}

func (w *world) save(r Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.saved[r.Slot] = r
	if r.Gone {
		delete(w.saved, r.Slot)
	}
}

func (w *world) records() (list []Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.saved {
		list = append(list, r)
	}
	return list
}

// said returns what happened since the last call: "up web.1".
func (w *world) said() (list []string) {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		list = append(list, fmt.Sprintf("%s %s.%d", e.Kind, e.Type, e.Slot))
	}
	w.events = nil
	return list
}

// kinds keeps only the events of some kinds.
func kinds(said []string, wanted ...muster.EventKind) (list []string) {
	for _, s := range said {
		for _, k := range wanted {
			if strings.HasPrefix(s, string(k)+" ") {
				list = append(list, s)
			}
		}
	}
	return list
}

// newType is a process type with defaults.
func newType(name string, with ...func(*muster.ProcessType)) muster.ProcessType {
	t := muster.ProcessType{Name: name, Command: muster.Command{Argv: []string{"/bin/" + name}}}
	for _, f := range with {
		f(&t)
	}
	return t.WithDefaults(&muster.App{Dir: "/"})
}

func after(typ string, c muster.Condition) func(*muster.ProcessType) {
	return func(t *muster.ProcessType) {
		t.DependsOn = append(t.DependsOn, muster.Dependency{Type: typ, Condition: c})
	}
}

func notifies(t *muster.ProcessType) { t.Ready = &muster.Probe{Kind: muster.ProbeNotify} }

func restarts(mode muster.RestartMode) func(*muster.ProcessType) {
	return func(t *muster.ProcessType) { t.Restart.Mode = mode }
}

// order asks for one process of every type of the app "shop".
func order(types ...muster.ProcessType) Order {
	o := Order{Cause: "test", Environment: Environment{Config: muster.Env{}}}
	o.App = &muster.App{Name: "shop", Dir: "/", Types: types, PortBase: 40000}
	o.Counts = map[string]int{}
	for _, t := range types {
		o.Counts[t.Name] = 1
	}
	return o
}

func (w *world) apply(o Order) {
	w.engine.Apply(o)
	synctest.Wait()
}

// after lets fake time pass.
func (w *world) after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func slotNamed(name string) muster.Slot {
	typ, n, _ := muster.ParseSlotName(name)
	return muster.Slot{App: "shop", Type: typ, N: n}
}

func (w *world) process(name string) Status {
	w.Helper()
	for _, s := range w.engine.Processes() {
		if s.Name == name {
			return s
		}
	}
	w.Fatalf("there is no %s", name)
	return Status{}
}

func (w *world) exists(name string) bool {
	return slices.ContainsFunc(w.engine.Processes(), func(s Status) bool { return s.Name == name })
}

func (w *world) wantState(name string, want muster.State) {
	w.Helper()
	synctest.Wait()
	if p := w.process(name); p.State != want {
		w.Errorf("%s is %s (%s), want %s", name, p.State, p.Reason, want)
	}
}

// end ends the oldest living process of a slot of shop.
func (w *world) end(name string, code int, sig syscall.Signal) {
	w.Helper()
	living := w.keeper.living("shop/" + name)
	if len(living) == 0 {
		w.Fatalf("nothing runs in %s", name)
	}
	w.keeper.end(living[0], code, sig)
	synctest.Wait()
}

// successor ends the supervisor and lets another take over.
func (w *world) successor(sameKeeper bool, orders ...Order) (adopted int) {
	w.stop()
	w.begin()
	inventory, _ := w.keeper.Inventory()
	return w.adopt(inventory, sameKeeper, orders...)
}

func (w *world) adopt(inventory keeper.Inventory, sameKeeper bool, orders ...Order) (adopted int) {
	adopted = w.engine.Adopt(inventory, orders, w.records(), sameKeeper)
	for _, o := range orders {
		w.engine.Apply(o)
	}
	synctest.Wait()
	return adopted
}
