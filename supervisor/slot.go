package supervisor

import (
	"context"
	"syscall"
	"time"

	"muster"
	"muster/formation"
	"muster/keeper"
)

// A slot is one place of a formation and the process in it.
type slot struct {
	supervisor *Supervisor
	name       muster.Slot
	app        *app
	typ        muster.ProcessType
	machine    formation.Machine
	wanted     bool   // by the order; machine.Wanted follows as dependencies allow
	cause      string // of the last order, for the journal
	id         string // of the incarnation in the keeper
	port       int
	cgroup     string
	oomBefore  int
	// killedAtOnce tells a person's second Ctrl-C from a stop that took too long.
	killedAtOnce bool
	born         string // formation.Fingerprint at its start
	// endedEarly is an end that came before the answer that it was started.
	endedEarly *keeper.Exit
	// bornAfter is a moment before the process could write its first line.
	bornAfter   time.Time
	confirmedID string // the incarnation a command has seen to be up
	// calmID is the incarnation that had run for so long when it was last seen
	// to have run.
	calmID string
	ran    time.Duration
	ranAt  time.Time
	// again marks a slot that is stopped only to be started in order.
	again bool
	// shadow marks a process beside the one that has the slot: a successor that
	// is not ready yet, or a predecessor that stops. It is not stored.
	shadow bool

	timeout, retry, healthy *time.Timer
	deadline                time.Time          // of the stop that timeout ends
	watching                context.CancelFunc // of the probe or healthcheck
	notified                chan struct{}      // receives READY=1
}

// A Record is what is stored of a slot, so that a later daemon goes on where
// this one was.
type Record struct {
	Slot    muster.Slot       `json:"slot"`
	ID      string            `json:"id"`
	Port    int               `json:"port"`
	Machine formation.Machine `json:"machine"`
	// Born is the fingerprint of what the process was born with.
	Born string `json:"born,omitempty"`
	Gone bool   `json:"-"` // the slot is no more
}

func newSlot(s *Supervisor, name muster.Slot) *slot {
	return &slot{supervisor: s, name: name, machine: formation.Machine{State: muster.StateDown, Reason: "not started yet"}}
}

// input advances the machine and carries out what it asks for.
func (l *slot) input(in formation.Input) {
	s := l.supervisor
	before := l.machine
	next, actions := l.machine.Next(in, s.policy(l.typ), time.Now())
	l.machine = next
	if !l.shadow && (!sameStep(before, next) || len(actions) > 0) {
		s.options.Save(l.record())
	}
	for _, a := range actions {
		l.act(a)
	}
}

// sameStep tells inputs that meant nothing from those worth storing.
func sameStep(a, b formation.Machine) bool {
	return a.State == b.State && a.Reason == b.Reason && a.Wanted == b.Wanted && a.Running == b.Running &&
		a.PID == b.PID && a.Restarts == b.Restarts && a.Again == b.Again && a.History.Failures == b.History.Failures
}

func (l *slot) record() Record {
	return Record{Slot: l.name, ID: l.id, Port: l.port, Machine: l.machine, Born: l.born}
}

func (l *slot) act(a formation.Action) {
	s := l.supervisor
	switch a.Kind {
	case formation.Spawn:
		l.spawn()
	case formation.Probe:
		l.probe()
	case formation.AskToStop:
		l.askToStop()
	case formation.Kill:
		l.kill()
	case formation.Clear:
		l.clear()
	case formation.SetTimeout:
		l.deadline = time.Now().Add(a.After)
		l.timeout = s.after(a.After, l.timerInput(formation.Timeout))
	case formation.SetRetry:
		l.retry = s.after(a.After, func() { l.wake() })
	case formation.SetHealthy:
		l.up(a.After)
	case formation.Tell:
		l.tell(a.Event)
	}
}

// timerInput returns an input bound to the present incarnation: a timer that
// fires late means nothing to the next one.
func (l *slot) timerInput(kind formation.InputKind) func() {
	id := l.id
	return func() {
		if l.id == id {
			l.input(formation.Input{Kind: kind})
			l.changed()
		}
	}
}

func (l *slot) wake() {
	if !l.supervisor.frozen {
		l.input(formation.Input{Kind: formation.Retry})
		l.changed()
	}
}

func (l *slot) up(after time.Duration) {
	l.healthy = l.supervisor.after(after, l.timerInput(formation.Healthy))
	l.watchHealth()
}

// tell completes the machine's event with who it is about.
func (l *slot) tell(e muster.Event) {
	e.Message = l.name.Name() + " " + e.Message
	l.supervisor.emit(l.name, e)
}

func (l *slot) warn(message string) {
	l.tell(muster.Event{Kind: muster.EventWarning, State: l.machine.State, Message: message})
}

// changed lets everything that waits for this slot look again.
func (l *slot) changed() {
	s := l.supervisor
	switch {
	case l.shadow:
		return
	case !l.wanted && !l.again && !l.alive() && l.machine.State == muster.StateDown && !l.belongs():
		s.removeSlot(l)
	}
	if len(l.app.dependencies()) > 0 {
		s.reconcile(l.app, "")
		s.startAgain(l.app, l.cause)
	}
}

// belongs reports whether the formation still has the slot.
func (l *slot) belongs() bool {
	t := l.app.App.Type(l.name.Type)
	return t != nil && l.name.N <= l.app.count(t)
}

func (l *slot) isHeld() bool {
	return l.machine.State == muster.StateStarting && !l.alive()
}

// alive reports that something of a process exists, or is about to.
func (l *slot) alive() bool { return l.machine.Running || l.machine.Spawning }

func (l *slot) count(p *formation.Progress) {
	m := l.machine
	if l.wanted {
		p.Wanted++
	}
	if m.History.Starts > 0 {
		p.Started++
	}
	if m.State == muster.StateUp {
		p.Up++
	}
	if m.Running {
		p.Running++
	}
	if m.State == muster.StateDown && m.LastExit != nil && m.LastExit.Signal == "" && m.LastExit.Code == 0 {
		p.Completed++
	}
}

// exited takes the end of the slot's process. News of it may overtake the
// answer to the request that started it.
func (l *slot) exited(exit keeper.Exit) {
	if l.machine.Spawning {
		l.endedEarly = &exit
		return
	}
	s := l.supervisor
	l.stopTimers()
	e := l.explain(exit)
	left := exit.Left
	if l.machine.State == muster.StateStopping && left && !l.machine.Killed {
		// What is left has the rest of the time it was given.
		l.timeout = s.after(time.Until(l.deadline), l.timerInput(formation.Timeout))
	}
	id, group := l.id, l.cgroup
	l.input(formation.Input{Kind: formation.Exited, Exit: &e, Left: left})
	if !left {
		s.forget(id, group)
	}
	l.changed()
}

// forget lets the keeper drop an ended process, off the path to its successor.
func (s *Supervisor) forget(id, group string) {
	delete(s.byID, id)
	s.background(func() { s.forgetNow(id, group) })
}

func (s *Supervisor) forgetNow(id, group string) {
	_ = s.options.Keeper.Forget(id)
	s.removeGroup(group)
}

func (s *Supervisor) removeGroup(dir string) {
	if s.options.Cgroups != nil && dir != "" {
		s.options.Cgroups.Remove(dir)
	}
}

func (l *slot) stopTimers() {
	for _, t := range []*time.Timer{l.timeout, l.retry, l.healthy} {
		if t != nil {
			t.Stop()
		}
	}
	l.stopWatching()
}

func (l *slot) stopWatching() {
	if l.watching != nil {
		l.watching()
		l.watching = nil
	}
}

// Signal sends a signal to a process, one-offs included.
func (s *Supervisor) Signal(name muster.Slot, sig syscall.Signal, label string) (err error) {
	s.do(func() {
		id, machine := s.runningAs(name)
		if id == "" {
			err = muster.Errorf(muster.CodeNotFound, "muster ps", "%s does not run", name)
			return
		}
		if err = s.options.Keeper.Signal(id, sig, keeper.ScopeProcess); err == nil {
			s.emit(name, muster.Event{Kind: muster.EventSignalled, State: machine.State, PID: machine.PID,
				Message: name.Name() + " was sent signal " + label})
		}
	})
	return err
}

// runningAs returns the incarnation that runs under a name.
func (s *Supervisor) runningAs(name muster.Slot) (id string, m formation.Machine) {
	if l := s.slots[name]; l != nil && l.machine.PID != 0 {
		return l.id, l.machine
	}
	for _, o := range s.oneoffs {
		if o.name == name {
			return o.id, o.machine
		}
	}
	return "", formation.Machine{}
}
