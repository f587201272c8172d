package supervisor

import (
	"context"
	"strconv"
	"syscall"
	"time"

	"muster"
	"muster/formation"
	"muster/keeper"
)

func itoa(n int) string { return strconv.Itoa(n) }

// askToStop sends the stop signal to the whole group, or runs the stop command.
func (l *slot) askToStop() {
	s := l.supervisor
	l.stopWatching()
	if l.healthy != nil {
		l.healthy.Stop()
	}
	if l.typ.Stop.Command.IsZero() {
		sig, ok := muster.SignalNumber(l.typ.Stop.Signal)
		if !ok {
			sig = syscall.SIGTERM
		}
		_ = s.options.Keeper.Signal(l.id, sig, keeper.ScopeGroup)
		_ = s.options.Keeper.Signal(l.id, syscall.SIGCONT, keeper.ScopeGroup) // one that was stopped (STOP) can not hear
		return
	}
	run, command := l.runner(), l.typ.Stop.Command
	timeout := time.Duration(l.typ.Stop.Timeout)
	id := l.id
	s.background(func() {
		ctx, cancel := context.WithTimeout(s.ctx, timeout)
		defer cancel()
		code, err := run(ctx, command)
		if err == nil && code == 0 {
			return
		}
		s.post(func() {
			if l.id == id && l.machine.Running {
				l.warn("its stop_command failed (code " + itoa(code) + "); TERM is sent instead")
				_ = s.options.Keeper.Signal(id, syscall.SIGTERM, keeper.ScopeGroup)
			}
		})
	})
}

// kill ends the whole tree, and reports when nothing of it is left.
func (l *slot) kill() {
	s, id := l.supervisor, l.id
	s.background(func() {
		err := s.options.Keeper.Sweep(id)
		s.post(func() { l.swept(id, err) })
	})
}

func (l *slot) swept(id string, err error) {
	if l.id != id {
		return
	}
	if err != nil {
		l.warn(err.Error())
	}
	group, ended := l.cgroup, l.machine.PID == 0
	l.input(formation.Input{Kind: formation.Cleared})
	if ended {
		l.supervisor.forget(id, group)
	}
	l.changed()
}

// clearPoll is how often a tree that is given time to end is looked at. It is
// rare: a parent ended on TERM while a child still finishes its work.
const clearPoll = 50 * time.Millisecond

// clear waits for what the process left behind to end by itself; the stop
// timeout kills it otherwise.
func (l *slot) clear() {
	s, id := l.supervisor, l.id
	s.background(func() {
		for {
			pids, err := s.options.Keeper.Tree(id)
			if err != nil {
				return
			}
			if len(pids) == 0 {
				s.post(func() { l.swept(id, nil) })
				return
			}
			select {
			case <-time.After(clearPoll):
			case <-s.ctx.Done():
				return
			}
		}
	})
}

// StopAll stops every process in order and waits until all are down. Nothing
// of it is stored: the next Muster starts the same formations again.
func (s *Supervisor) StopAll(ctx context.Context, cause string) error {
	s.do(func() {
		s.frozen = true
		for _, a := range s.apps {
			for _, l := range s.slotsOf(a, "") {
				l.wanted, l.again = false, false
			}
			s.reconcile(a, cause)
		}
		for _, o := range s.oneoffs {
			_ = s.options.Keeper.Signal(o.id, syscall.SIGTERM, keeper.ScopeGroup)
		}
	})
	return s.wait(ctx, func() bool {
		for _, l := range s.slots {
			if l.alive() {
				return false
			}
		}
		return true
	})
}

// KillAll kills every process at once (a second Ctrl-C).
func (s *Supervisor) KillAll() {
	s.do(func() {
		s.frozen = true
		for _, l := range s.slots {
			l.wanted = false
			if l.machine.Running {
				l.killedAtOnce = true
				l.input(formation.Input{Kind: formation.Stop, Reason: "killed at once"})
				l.input(formation.Input{Kind: formation.Timeout})
			}
		}
	})
}
