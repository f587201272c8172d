package supervisor

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"muster/keeper"
)

// A fakeKeeper holds processes that exist in memory only. They end when told
// to: on a signal, unless they are deaf to it, or by end.
type fakeKeeper struct {
	mu    sync.Mutex // guards what follows
	next  int
	held  map[string]*fakeProcess
	files map[string]*os.File
	order []keeper.Spec // of spawns, tasks included
	calls []string      // signals, sweeps and forgets in order

	exited   func(keeper.Exit)
	refuse   func(keeper.Spec) error            // why a spawn fails
	onSignal func(*fakeProcess, syscall.Signal) // default: the process ends by it
	onSpawn  func(keeper.Spec)
}

type fakeProcess struct {
	keeper.Held
	spec keeper.Spec
	left int // processes it leaves behind when it ends
}

// firstPID is beyond what a kernel hands out, so that nothing real is meant.
const firstPID = 5_000_000

func newFakeKeeper() *fakeKeeper {
	return &fakeKeeper{next: firstPID, held: map[string]*fakeProcess{}, files: map[string]*os.File{}}
}

func (k *fakeKeeper) Spawn(spec keeper.Spec, _ []*os.File) (keeper.Held, error) {
	k.mu.Lock()
	if k.refuse != nil {
		if err := k.refuse(spec); err != nil {
			k.mu.Unlock()
			return keeper.Held{}, err
		}
	}
	k.next++
	p := &fakeProcess{Held: keeper.Held{ID: spec.ID, PID: k.next, StartedAt: time.Now(), Note: spec.Note}, spec: spec}
	k.held[spec.ID] = p
	k.order = append(k.order, spec)
	onSpawn, held := k.onSpawn, p.Held
	k.mu.Unlock()
	if onSpawn != nil {
		onSpawn(spec)
	}
	return held, nil
}

func (k *fakeKeeper) Begin(spec keeper.Spec, files []*os.File) func() (keeper.Held, error) {
	held, err := k.Spawn(spec, files)
	return func() (keeper.Held, error) { return held, err }
}

func (k *fakeKeeper) Signal(id string, sig syscall.Signal, scope keeper.Scope) error {
	k.mu.Lock()
	p := k.held[id]
	k.note("signal %d %s %s", sig, scope, id)
	onSignal := k.onSignal
	k.mu.Unlock()
	switch {
	case p == nil:
		return errors.New("no such process")
	case onSignal != nil:
		onSignal(p, sig)
	default:
		k.end(id, 0, sig)
	}
	return nil
}

// note appends to calls without the serial part of an ID. The caller holds mu.
func (k *fakeKeeper) note(format string, sig, scope, id any) {
	name, _ := slotOfID(fmt.Sprint(id))
	k.calls = append(k.calls, fmt.Sprintf(format, sig, scope, name))
}

// end lets a process end by itself (sig 0) or by a signal.
func (k *fakeKeeper) end(id string, code int, sig syscall.Signal) {
	k.mu.Lock()
	p := k.held[id]
	if p == nil || p.Exit != nil {
		k.mu.Unlock()
		return
	}
	if sig != 0 {
		code = -1
	}
	exit := keeper.Exit{ID: id, Code: code, Signal: int(sig), At: time.Now(), Left: p.left > 0}
	p.Exit = &exit
	k.mu.Unlock()
	k.exited(exit)
}

func (k *fakeKeeper) Tree(id string) ([]int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	p := k.held[id]
	if p == nil {
		return nil, errors.New("no such process")
	}
	var pids []int
	if p.Exit == nil {
		pids = append(pids, p.PID)
	}
	for i := range p.left {
		pids = append(pids, p.PID+1_000_000+i)
	}
	return pids, nil
}

func (k *fakeKeeper) Sweep(id string) error {
	k.mu.Lock()
	k.note("sweep%.0v%.0v %s", 0, "", id)
	if p := k.held[id]; p != nil {
		p.left = 0
	}
	k.mu.Unlock()
	k.end(id, 0, syscall.SIGKILL)
	return nil
}

func (k *fakeKeeper) Forget(id string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if p := k.held[id]; p != nil && p.Exit != nil {
		delete(k.held, id)
	}
	return nil
}

func (k *fakeKeeper) Keep(name string, file *os.File) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.files[name] = nil
	return nil
}

func (k *fakeKeeper) Fetch(name string) (*os.File, error) { return nil, errors.New("not held") }

func (k *fakeKeeper) Drop(name string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.files, name)
	return nil
}

func (k *fakeKeeper) Tune(keeper.LogSpec) error { return nil }

func (k *fakeKeeper) Inventory() (keeper.Inventory, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var inv keeper.Inventory
	for _, p := range k.held {
		inv.Processes = append(inv.Processes, p.Held)
	}
	slices.SortFunc(inv.Processes, func(a, b keeper.Held) int { return a.PID - b.PID })
	for name := range k.files {
		inv.Files = append(inv.Files, name)
	}
	slices.Sort(inv.Files)
	return inv, nil
}

// living returns the IDs of a slot's living processes, the oldest first.
func (k *fakeKeeper) living(slot string) (ids []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, spec := range k.order {
		p := k.held[spec.ID]
		if name, ok := slotOfID(spec.ID); ok && name.String() == slot && p != nil && p.Exit == nil {
			ids = append(ids, spec.ID)
		}
	}
	return ids
}

// spawns counts how often a slot was started.
func (k *fakeKeeper) spawns(slot string) (n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, spec := range k.order {
		if name, ok := slotOfID(spec.ID); ok && name.String() == slot {
			n++
		}
	}
	return n
}

var _ Keeper = (*fakeKeeper)(nil)
