package supervisor

import (
	"context"
	"time"

	"muster"
	"muster/formation"
)

// Replace starts a successor beside a slot's process and, once it is ready,
// lets it take the slot while the old process is asked to stop. If the
// successor fails, it is removed, the old process stays, and the failure is
// returned. It only makes sense where both can serve at once: on sockets that
// Muster holds.
func (s *Supervisor) Replace(ctx context.Context, name muster.Slot, cause string) (failure *Failure, err error) {
	var successor *slot
	s.do(func() {
		old := s.slots[name]
		if old == nil || !old.machine.Running {
			err = muster.Errorf(muster.CodeNotFound, "muster ps", "%s does not run", name)
			return
		}
		successor = s.startSuccessor(old, cause)
	})
	if err != nil {
		return nil, err
	}
	err = s.wait(ctx, successor.proven)
	s.do(func() {
		if err == nil && successor.machine.State == muster.StateUp {
			s.succeed(successor, cause)
			return
		}
		failure = &Failure{Slot: name, Reason: "its replacement failed: " + successor.failing(), Since: successor.bornAfter}
		successor.wanted = false
		successor.input(formation.Input{Kind: formation.Stop, Reason: "the replacement failed"})
	})
	return failure, err
}

// provenFor is how long a successor must live where its probe can not tell it
// from the process it replaces: on a shared socket either may have answered.
const provenFor = 2 * time.Second

// proven reports that the successor has shown that it works, or has failed.
func (l *slot) proven() bool {
	if l.machine.State != muster.StateUp { // Muster stops what does not get ready
		return l.machine.State == muster.StateStopping || l.machine.State.Settled() && !l.alive()
	}
	if lived := time.Since(l.machine.StartedAt); l.shares() && lived < provenFor {
		l.lookAgain(provenFor - lived)
		return false
	}
	return true
}

// failing says what went wrong, in words.
func (l *slot) failing() string {
	if l.machine.State != muster.StateStopping && l.machine.LastExit != nil {
		return "it exited: " + l.machine.LastExit.String()
	}
	return l.machine.Reason
}

// startSuccessor makes a second slot of the same name, which only its
// incarnation's ID leads to. It is started once and never restarted.
func (s *Supervisor) startSuccessor(old *slot, cause string) *slot {
	successor := newSlot(s, old.name)
	successor.app, successor.port, successor.wanted, successor.shadow = old.app, old.port, true, true
	successor.typ = old.typ
	successor.typ.Restart.Mode = muster.RestartNever
	successor.machine.Restarts = old.machine.Restarts + 1
	successor.input(formation.Input{Kind: formation.Start, Reason: cause})
	return successor
}

// succeed gives the slot to the successor and asks the old process to stop.
func (s *Supervisor) succeed(successor *slot, cause string) {
	old := s.slots[successor.name]
	if old == nil { // the slot was given up meanwhile
		successor.wanted = false
		successor.input(formation.Input{Kind: formation.Stop, Reason: "its slot is no more"})
		return
	}
	successor.shadow = false
	s.slots[successor.name] = successor
	successor.typ = old.typ
	successor.wanted, old.wanted, old.shadow = old.wanted, false, true
	s.options.Save(successor.record())
	old.input(formation.Input{Kind: formation.Stop, Reason: cause + ": its replacement is up"})
	s.reconcile(successor.app, "") // it may be unwanted by now
}
