package supervisor

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"muster"
	"muster/formation"
	"muster/keeper"
)

// Adopt takes over what the keeper holds, before any order is applied: records
// are what the daemon before stored of the slots, sameKeeper tells that it
// worked for the keeper that lives now. It returns how many processes run on.
func (s *Supervisor) Adopt(inventory keeper.Inventory, orders []Order, records []Record, sameKeeper bool) (adopted int) {
	s.do(func() {
		s.frozen = true // nothing starts until everything is known
		for _, o := range orders {
			a := &app{Desired: o.Desired, environment: o.Environment, stopped: map[string]bool{}}
			for _, name := range o.Stopped {
				a.stopped[name] = true
			}
			s.apps[o.App.Name] = a
		}
		for _, r := range records {
			s.recall(r)
		}
		for _, a := range s.apps {
			s.makeSlots(a)
		}
		adopted = s.adoptHeld(inventory.Processes)
		for _, l := range s.slots {
			l.recallIdle(inventory.Processes, sameKeeper)
			if !l.belongs() && !l.machine.Running {
				s.removeSlot(l) // its stop was over, and not yet noted
			}
		}
		s.frozen = false
		early := s.early
		s.early = nil
		for _, exit := range early { // they ended after the inventory was taken
			s.exited(exit)
		}
	})
	return adopted
}

// recall makes a slot what it was last known to be.
func (s *Supervisor) recall(r Record) {
	a := s.apps[r.Slot.App]
	if a == nil {
		return
	}
	l := newSlot(s, r.Slot)
	l.app, l.id, l.port, l.machine, l.born = a, r.ID, r.Port, r.Machine, r.Born
	s.slots[r.Slot] = l
}

func (s *Supervisor) adoptHeld(processes []keeper.Held) (adopted int) {
	for _, held := range s.rightfulFirst(processes) {
		name, ok := slotOfID(held.ID)
		switch l := s.slots[name]; {
		case !ok: // the daemon's own
		case name.Type == "run" && held.Exit == nil:
			run := &oneoff{id: held.ID, name: name, command: held.Note, exited: make(chan muster.Exit, 1)}
			s.oneoffStarted(run, held)
		case name.Type == "run":
			run := &oneoff{id: held.ID, name: name, command: held.Note, exited: make(chan muster.Exit, 1)}
			s.oneoffStarted(run, held)
			s.oneoffExited(run, *held.Exit)
		case l != nil && held.Exit == nil && s.byID[l.id] == nil:
			l.adopt(held)
			adopted++
		case l != nil && held.Exit == nil: // half of a replacement that was cut short
			s.retire(l, held)
		case l != nil && l.id == held.ID && l.machine.Running && s.byID[l.id] == nil:
			l.endedUnseen(held)
		case held.Exit != nil:
			s.forget(held.ID, held.Cgroup)
		default: // nobody's any more
			id, group := held.ID, held.Cgroup
			s.background(func() { _ = s.options.Keeper.Sweep(id); s.forgetNow(id, group) })
		}
	}
	return adopted
}

// rightfulFirst puts the processes that have their slot by the records before
// others of the same slot, and younger ones before older.
func (s *Supervisor) rightfulFirst(processes []keeper.Held) []keeper.Held {
	sorted := slices.Clone(processes)
	rank := func(h keeper.Held) int {
		name, _ := slotOfID(h.ID)
		switch l := s.slots[name]; {
		case h.Exit != nil: // of two, the living one has the slot
			return 2
		case l != nil && l.id == h.ID:
			return 0
		}
		return 1
	}
	slices.SortStableFunc(sorted, func(a, b keeper.Held) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), b.StartedAt.Compare(a.StartedAt))
	})
	return sorted
}

// retire stops a process whose slot another one has.
func (s *Supervisor) retire(l *slot, held keeper.Held) {
	old := newSlot(s, l.name)
	old.app, old.typ, old.port, old.shadow = l.app, l.typ, l.port, true
	old.id, old.cgroup = held.ID, held.Cgroup
	old.machine = formation.Machine{State: muster.StateUp, Wanted: true, Running: true, PID: held.PID, StartedAt: held.StartedAt}
	s.byID[held.ID] = old
	old.input(formation.Input{Kind: formation.Stop, Reason: "another process has its slot"})
}

// slotOfID reads "shop/web.1@17": the keeper hands IDs back as they were.
func slotOfID(id string) (name muster.Slot, ok bool) {
	full, _, found := strings.Cut(id, "@")
	app, process, hasApp := strings.Cut(full, "/")
	typ, n, isSlot := muster.ParseSlotName(process)
	return muster.Slot{App: app, Type: typ, N: n}, found && hasApp && isSlot && app != "muster"
}

// adopt takes a living process over. One that was up stays untouched; one that
// was starting is asked again, for the questions died with the daemon before.
func (l *slot) adopt(held keeper.Held) {
	s := l.supervisor
	known := l.id == held.ID
	l.id, l.cgroup = held.ID, held.Cgroup
	s.byID[l.id] = l
	l.notified = make(chan struct{}, 1)
	l.bornAfter = held.StartedAt
	m := &l.machine
	if !known || !m.Running {
		// Started by a daemon that died before it could note it.
		m.State, m.Reason, m.Wanted = muster.StateStarting, "adopted", true
		m.History.Starts++
	}
	m.Running, m.PID, m.StartedAt = true, held.PID, held.StartedAt
	switch {
	case m.State == muster.StateStopping:
		l.stopAgain()
	case m.State == muster.StateUp:
		l.up(healthyLeft(held.StartedAt))
	case l.typ.Ready == nil:
		l.input(formation.Input{Kind: formation.Ready, Reason: "runs"})
	case l.typ.Ready.Kind == muster.ProbeNotify:
		l.input(formation.Input{Kind: formation.Restart, Reason: "its READY=1 may have been sent to the daemon before"})
	default:
		l.probe()
	}
	s.options.Save(l.record())
}

// stopAgain repeats a stop whose timer died with the daemon before.
func (l *slot) stopAgain() {
	l.askToStop()
	l.deadline = time.Now().Add(time.Duration(l.typ.Stop.Timeout))
	l.timeout = l.supervisor.after(time.Duration(l.typ.Stop.Timeout), l.timerInput(formation.Timeout))
}

func healthyLeft(started time.Time) time.Duration {
	return max(0, 30*time.Second-time.Since(started))
}

// endedUnseen takes the end of a process that ended while no daemon lived.
func (l *slot) endedUnseen(held keeper.Held) {
	l.supervisor.byID[l.id] = l
	exit := *held.Exit
	// After Adopt: the restart policy may start the next one.
	l.supervisor.background(func() { l.supervisor.Exited(exit) })
}

// recallIdle settles a slot that nobody holds a process for. Under the same
// keeper it goes on where it was: in backoff, crashed or done. A process that
// is gone with its keeper, or with the machine, is started afresh.
func (l *slot) recallIdle(processes []keeper.Held, sameKeeper bool) {
	for _, held := range processes {
		if held.ID == l.id {
			return
		}
	}
	m := &l.machine
	switch {
	case m.State == muster.StateCrashed && !m.Running:
		return // until a person starts it
	case sameKeeper && !m.Running && m.State == muster.StateBackoff:
		l.retry = l.supervisor.after(max(0, time.Until(m.RetryAt)), l.wake)
		return
	case sameKeeper && !m.Running:
		return
	case m.Running:
		m.LastExit = &muster.Exit{Code: -1, Signal: "KILL", Reason: "Muster or the machine ended", At: time.Now()}
	}
	*m = formation.Machine{State: muster.StateDown, Reason: "Muster was started again", Restarts: m.Restarts, LastExit: m.LastExit}
}
