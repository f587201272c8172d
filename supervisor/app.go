package supervisor

import (
	"cmp"
	"fmt"
	"slices"

	"muster"
	"muster/formation"
)

// An app is what one application should be.
type app struct {
	formation.Desired
	environment Environment
	stopped     map[string]bool // slot names a person stopped
}

// Environment is what an app's processes find besides what its manifest says.
type Environment struct {
	// Base is the shell's environment the app was started from.
	Base muster.Env
	// Config are the config vars. They win over everything but Muster's own.
	Config muster.Env
}

// An Order is all that is desired of one app.
type Order struct {
	formation.Desired
	Environment Environment
	Stopped     []string // slot names that should stay down
	Cause       string   // for the journal: "muster start"
	// Replace names types whose processes are to be started afresh, now: it is
	// no part of what is desired, and not stored.
	Replace []string `json:"-"`
}

// Apply makes an order the app's, and starts, stops and replaces processes
// accordingly. It returns at once; Settle waits.
func (s *Supervisor) Apply(o Order) {
	s.do(func() { s.apply(o) })
}

func (s *Supervisor) apply(o Order) {
	a := s.apps[o.App.Name]
	if a == nil {
		a = &app{}
		s.apps[o.App.Name] = a
	}
	a.Desired, a.environment = o.Desired, o.Environment
	a.stopped = map[string]bool{}
	for _, name := range o.Stopped {
		a.stopped[name] = true
	}
	s.makeSlots(a)
	s.dropSockets(a)
	s.replaceTypes(a, o)
	s.reconcile(a, o.Cause)
}

// replaceTypes starts processes afresh that are of a type that changed, or that
// were born before a change a daemon died over. What has done its work does it
// again.
func (s *Supervisor) replaceTypes(a *app, o Order) {
	var again []*slot
	for _, slot := range s.slotsOf(a, "") {
		t := a.App.Type(slot.name.Type)
		changed := slices.Contains(o.Replace, slot.name.Type)
		stale := t != nil && slot.machine.Running && slot.born != "" && slot.born != formation.Fingerprint(a.App, t)
		if slot.wanted && (changed || stale) && (slot.alive() || slot.machine.LastExit != nil) {
			again = append(again, slot)
		}
	}
	s.restart(a, again, o.Cause)
}

// makeSlots gives the app the slots its formation asks for; what is too many
// stays until it is down.
func (s *Supervisor) makeSlots(a *app) {
	for i := range a.App.Types {
		t := &a.App.Types[i]
		for n := 1; n <= a.count(t); n++ {
			name := muster.Slot{App: a.App.Name, Type: t.Name, N: n}
			if s.slots[name] == nil {
				s.slots[name] = newSlot(s, name)
			}
		}
	}
	for _, slot := range s.slotsOf(a, "") {
		t := a.App.Type(slot.name.Type)
		slot.app = a
		switch {
		case t != nil:
			slot.typ = *t
			s.tuneLog(slot)
		case slot.typ.Name == "": // recalled, of a type that was removed: it still is to stop politely
			slot.typ = muster.ProcessType{Name: slot.name.Type}.WithDefaults(a.App)
		}
		slot.again = false
		slot.wanted = t != nil && slot.name.N <= a.count(t) && !a.stopped[slot.name.Name()]
	}
	s.assignPorts(a)
}

func (a *app) count(t *muster.ProcessType) int {
	if t.OneShot() {
		return 0
	}
	return a.Counts[t.Name]
}

// slotsOf returns an app's slots of one type, or with "" of all, in manifest
// order.
func (s *Supervisor) slotsOf(a *app, typ string) []*slot {
	var slots []*slot
	for name, slot := range s.slots {
		if name.App == a.App.Name && (typ == "" || name.Type == typ) {
			slots = append(slots, slot)
		}
	}
	order := map[string]int{}
	if typ == "" {
		for i, t := range a.App.Types {
			order[t.Name] = i + 1
		}
	}
	slices.SortFunc(slots, func(x, y *slot) int {
		return cmp.Or(cmp.Compare(order[x.name.Type], order[y.name.Type]), cmp.Compare(x.name.Type, y.name.Type), cmp.Compare(x.name.N, y.name.N))
	})
	return slots
}

// reconcile starts what may start and stops what may stop. It is asked again
// after every change in the app, because a change is what others wait for.
func (s *Supervisor) reconcile(a *app, cause string) {
	if cause != "" {
		a.cause(s, cause)
	}
	// A loop and not a recursion: one change may allow the next.
	for s.reconcileOnce(a) {
	}
}

func (a *app) cause(s *Supervisor, cause string) {
	for _, slot := range s.slotsOf(a, "") {
		slot.cause = cause
	}
}

func (s *Supervisor) reconcileOnce(a *app) (changed bool) {
	slots := s.slotsOf(a, "")
	progress := progressOf(slots)
	for _, slot := range slots {
		before := slot.machine.State
		switch {
		case slot.wanted && !slot.machine.Wanted, slot.wanted && slot.isHeld():
			s.startOrHold(slot, progress)
		case !slot.wanted && slot.machine.Wanted && !stopsLater(a, slots, slot):
			slot.input(formation.Input{Kind: formation.Stop, Reason: slot.cause})
		}
		changed = changed || slot.machine.State != before
	}
	return changed && len(a.dependencies()) > 0
}

func (s *Supervisor) startOrHold(slot *slot, progress func(string) formation.Progress) {
	if blocked := formation.Blocked(&slot.typ, progress); blocked != "" {
		slot.input(formation.Input{Kind: formation.Hold, Reason: blocked})
		return
	}
	slot.input(formation.Input{Kind: formation.Start, Reason: slot.cause})
}

func (a *app) dependencies() []muster.Dependency {
	var all []muster.Dependency
	for _, t := range a.App.Types {
		all = append(all, t.DependsOn...)
	}
	return all
}

// stopsLater keeps a process up while a process that depends on it has not
// stopped yet, when both are to stop.
func stopsLater(a *app, slots []*slot, slot *slot) bool {
	for _, dependent := range formation.Dependents(a.App.Types, slot.name.Type) {
		for _, other := range slots {
			if other.name.Type == dependent && !other.wanted && other.alive() {
				return true
			}
		}
	}
	return false
}

func progressOf(slots []*slot) func(typ string) formation.Progress {
	progress := map[string]*formation.Progress{}
	for _, slot := range slots {
		p := progress[slot.name.Type]
		if p == nil {
			p = &formation.Progress{}
			progress[slot.name.Type] = p
		}
		slot.count(p)
	}
	return func(typ string) formation.Progress {
		if p := progress[typ]; p != nil {
			return *p
		}
		return formation.Progress{}
	}
}

// Forget drops a stopped app.
func (s *Supervisor) Forget(name string) (err error) {
	s.do(func() {
		a := s.apps[name]
		if a == nil {
			return
		}
		for _, slot := range s.slotsOf(a, "") {
			if slot.alive() {
				err = fmt.Errorf("%s still runs", slot.name)
				return
			}
		}
		for _, slot := range s.slotsOf(a, "") {
			s.removeSlot(slot)
		}
		s.closeSockets(a)
		delete(s.apps, name)
	})
	return err
}

func (s *Supervisor) removeSlot(slot *slot) {
	slot.stopTimers()
	delete(s.slots, slot.name)
	delete(s.byID, slot.id)
	s.options.Save(Record{Slot: slot.name, Gone: true})
}
