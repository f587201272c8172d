package supervisor

import (
	"context"
	"errors"
	"os"
	"time"

	"muster"
	"muster/formation"
	"muster/keeper"
	"muster/supervisor/readiness"
)

// probe asks until the process is ready or its time is over. The answer comes
// back as an input, bound to this incarnation.
func (l *slot) probe() {
	s := l.supervisor
	p := *l.typ.Ready
	ctx, cancel := context.WithTimeout(s.ctx, time.Duration(p.Timeout))
	l.watching = cancel
	target := l.target(ctx, p)
	id := l.id
	s.background(func() {
		err := readiness.Wait(ctx, p, target)
		gaveUp := errors.Is(ctx.Err(), context.DeadlineExceeded)
		cancel()
		if err != nil && !gaveUp && ctx.Err() != nil {
			return // the process ended, or Muster does
		}
		s.post(func() { l.probed(id, p, err) })
	})
}

func (l *slot) probed(id string, p muster.Probe, err error) {
	if l.id != id {
		return
	}
	in := formation.Input{Kind: formation.Ready, Reason: readyReason(p)}
	if err != nil {
		in = formation.Input{Kind: formation.NotReady, Reason: "not ready within " + p.Timeout.String() + ": " + err.Error()}
	}
	l.input(in)
	l.changed()
}

func readyReason(p muster.Probe) string {
	switch p.Kind {
	case muster.ProbeListening:
		return "it listens"
	case muster.ProbeHTTP:
		return "it answers HTTP"
	case muster.ProbeTCP:
		return "it accepts connections"
	case muster.ProbeLog:
		return "its log says so"
	case muster.ProbeNotify:
		return "it sent READY=1"
	}
	return "its probe succeeded"
}

// target is what a probe may look at. Everything is taken now: the probe runs
// on another goroutine.
func (l *slot) target(ctx context.Context, p muster.Probe) readiness.Target {
	s, id := l.supervisor, l.id
	t := readiness.Target{
		PID: l.machine.PID, Port: l.port, Dir: l.typ.Cwd, Notified: l.notified,
		Pids: func() []int {
			pids, _ := s.options.Keeper.Tree(id)
			return pids
		},
		Run: l.runner(),
	}
	if p.Kind == muster.ProbeLog && s.options.Lines != nil {
		t.Lines = s.options.Lines(ctx, l.name, l.bornAfter)
	}
	return t
}

// watchHealth asks again and again while the process is up.
func (l *slot) watchHealth() {
	l.stopWatching()
	if l.typ.Healthcheck == nil {
		return
	}
	s, id, p := l.supervisor, l.id, *l.typ.Healthcheck
	ctx, cancel := context.WithCancel(s.ctx)
	l.watching = cancel
	target := l.target(ctx, p)
	s.background(func() {
		defer cancel()
		if err := healthLost(ctx, p, target); err != nil {
			s.post(func() {
				if l.id == id {
					l.input(formation.Input{Kind: formation.Unhealthy, Reason: "unhealthy: " + err.Error()})
					l.changed()
				}
			})
		}
	})
}

// healthLost returns the last complaint after enough of them in a row, or nil
// when ctx ends.
func healthLost(ctx context.Context, p muster.Probe, target readiness.Target) error {
	ticker := time.NewTicker(time.Duration(p.Interval))
	defer ticker.Stop()
	failures := 0
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		question, cancel := context.WithTimeout(ctx, time.Duration(p.Timeout))
		err := readiness.Check(question, p, target)
		cancel()
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			failures = 0
		default:
			failures++
		}
		if failures >= max(p.Failures, 1) {
			return err
		}
	}
}

// runner runs a command in the process's surroundings, through the keeper: it
// is the only parent there is.
func (l *slot) runner() func(context.Context, muster.Command) (int, error) {
	s := l.supervisor
	env := append(l.environ(), "PID="+itoa(l.machine.PID))
	spec := keeper.Spec{Env: env, Dir: l.typ.Cwd, Discard: true}
	ownerErr := setOwner(&spec, l.typ)
	prefix := "task/" + l.name.String()
	return func(ctx context.Context, c muster.Command) (int, error) {
		if ownerErr != nil {
			return 0, ownerErr
		}
		task := spec
		task.Argv = s.argv(c, false)
		return s.runTask(ctx, prefix, task)
	}
}

// runTask runs a short command of Muster's own making, and kills it when ctx
// ends.
func (s *Supervisor) runTask(ctx context.Context, prefix string, spec keeper.Spec) (int, error) {
	return s.runTaskOn(ctx, prefix, spec, nil)
}

func (s *Supervisor) runTaskOn(ctx context.Context, prefix string, spec keeper.Spec, files []*os.File) (int, error) {
	exited := make(chan keeper.Exit, 1)
	s.do(func() {
		s.serial++
		spec.ID = prefix + "@" + itoa(int(time.Now().UnixNano())) + "." + itoa(int(s.serial))
		s.tasksRun[spec.ID] = exited
	})
	if _, err := s.options.Keeper.Spawn(spec, files); err != nil {
		s.do(func() { delete(s.tasksRun, spec.ID) })
		return 0, err
	}
	defer func() { _ = s.options.Keeper.Forget(spec.ID) }()
	select {
	case exit := <-exited:
		return shellCode(exit), nil
	case <-ctx.Done():
		_ = s.options.Keeper.Sweep(spec.ID)
		return 0, ctx.Err()
	case <-s.done:
		return 0, context.Canceled
	}
}

func shellCode(exit keeper.Exit) int {
	if exit.Signal != 0 {
		return 128 + exit.Signal
	}
	return exit.Code
}

// Notify takes the READY=1 that a process of the slot sent. While one process
// replaces another, it is the one that is not up yet.
func (s *Supervisor) Notify(name muster.Slot) {
	s.post(func() {
		for _, l := range s.byID {
			if l.name != name || l.machine.State != muster.StateStarting {
				continue
			}
			select {
			case l.notified <- struct{}{}:
			default:
			}
		}
	})
}
