package supervisor

import (
	"context"
	"io"
	"os"
	"time"

	"muster"
	"muster/formation"
	"muster/keeper"
)

// Restart restarts slots: in place, and where they depend on each other in
// order, the last stopped first and started last.
func (s *Supervisor) Restart(names []muster.Slot, cause string) {
	s.do(func() {
		for a, slots := range s.restartable(names) {
			s.restart(a, slots, cause)
		}
	})
}

func (s *Supervisor) restart(a *app, slots []*slot, cause string) {
	if len(a.dependencies()) > 0 && !(len(slots) == 1 && slots[0].alive()) {
		s.restartInOrder(a, slots, cause)
		return
	}
	for _, l := range slots {
		l.input(formation.Input{Kind: formation.Restart, Reason: cause})
	}
}

// restartable returns the slots that a restart concerns, by app. What waits for
// others goes on waiting.
func (s *Supervisor) restartable(names []muster.Slot) map[*app][]*slot {
	byApp := map[*app][]*slot{}
	for _, name := range names {
		if l := s.slots[name]; l != nil && l.wanted && !l.isHeld() {
			byApp[l.app] = append(byApp[l.app], l)
		}
	}
	return byApp
}

// restartInOrder stops slots as an app is stopped. The last to end starts them
// all again, as an app is started: see startAgain.
func (s *Supervisor) restartInOrder(a *app, slots []*slot, cause string) {
	for _, l := range slots {
		l.wanted, l.again = false, true
		if !l.alive() { // nothing of its past counts for those that wait for it
			l.stopTimers()
			l.machine = formation.Machine{State: muster.StateDown, Reason: cause, Restarts: l.machine.Restarts}
		}
	}
	s.reconcile(a, cause)
	s.startAgain(a, cause)
}

// startAgain starts what was stopped only for that, once all of it is down.
func (s *Supervisor) startAgain(a *app, cause string) {
	var again []*slot
	for _, l := range s.slotsOf(a, "") {
		if l.again && l.alive() {
			return
		}
		if l.again {
			again = append(again, l)
		}
	}
	for _, l := range again {
		l.again = false
		l.wanted = l.belongs() && !a.stopped[l.name.Name()]
		l.machine.Restarts++
	}
	if len(again) > 0 {
		s.reconcile(a, cause)
	}
}

// Output runs a program of Muster's own and returns what it prints, at most
// 64 KB of it.
func (s *Supervisor) Output(ctx context.Context, argv []string, dir string, env []string) (string, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer read.Close()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		write.Close()
		return "", err
	}
	defer null.Close()
	spec := keeper.Spec{Argv: argv, Env: env, Dir: dir, Files: true}
	_, err = s.runTaskOn(ctx, "task/output", spec, []*os.File{null, write, null})
	write.Close()
	if err != nil {
		return "", err
	}
	_ = read.SetReadDeadline(time.Now().Add(time.Second))
	out, err := io.ReadAll(io.LimitReader(read, 64<<10))
	return string(out), err
}
