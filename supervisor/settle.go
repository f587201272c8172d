package supervisor

import (
	"context"
	"time"

	"muster"
	"muster/proctree"
)

// A process without a probe must live for confirmFor before a command calls it
// started, for what can not even load ends sooner. One that sleeps, and has not
// run for calmFor, has loaded.
const (
	confirmFor = 400 * time.Millisecond
	calmFor    = 10 * time.Millisecond
)

// confirmSharedFor is the same for a process on a socket that others answer on,
// too: its probe may have been satisfied by a sibling.
const confirmSharedFor = 500 * time.Millisecond

// listenFor is how long a command waits for a web process without a probe to
// listen. It is a courtesy: the process counts as up in any case.
const listenFor = 3 * time.Second

// givenUpAfter failures in a row a command reports failure. Muster itself goes
// on trying.
const givenUpAfter = 3

// A waiter is a command that waits for something to come true.
type waiter struct {
	done func() bool // on the owner goroutine
	yes  chan struct{}
}

// wait returns when done says yes, or ctx ends.
func (s *Supervisor) wait(ctx context.Context, done func() bool) error {
	w := &waiter{done: done, yes: make(chan struct{})}
	s.do(func() { s.waiters[w] = true; s.settleWaiters() })
	defer s.do(func() { delete(s.waiters, w) })
	select {
	case <-w.yes:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.done:
		return context.Canceled
	}
}

// settleWaiters asks every waiter again, after anything happened.
func (s *Supervisor) settleWaiters() {
	for w := range s.waiters {
		if w.done() {
			close(w.yes)
			delete(s.waiters, w)
		}
	}
}

// A Failure is a process that did not become what a command asked for.
type Failure struct {
	Slot   muster.Slot `json:"slot"`
	Reason string      `json:"reason"`
	// Since is when the failing began: its log from then on explains it.
	Since time.Time `json:"since"`
}

// Settle waits until the processes that match are all up, down as they should
// be, or have failed, and returns the failures.
func (s *Supervisor) Settle(ctx context.Context, match func(muster.Slot) bool) (failures []Failure, err error) {
	err = s.wait(ctx, func() bool {
		var waiting bool
		failures, waiting = s.verdicts(match)
		return !waiting
	})
	return failures, err
}

// verdicts judges all matching slots. Processes that only wait for a failed
// one have failed too, once nothing else moves.
func (s *Supervisor) verdicts(match func(muster.Slot) bool) (failures []Failure, waiting bool) {
	var held []Failure
	var up []*slot
	for name, l := range s.slots {
		if !match(name) {
			continue
		}
		switch v, reason := l.verdict(); v {
		case verdictFailed:
			failures = append(failures, Failure{name, reason, l.bornAfter})
		case verdictHeld:
			held = append(held, Failure{name, reason, time.Now()})
		case verdictWaiting:
			waiting = true
		case verdictUp:
			up = append(up, l)
		}
	}
	if len(held) > 0 && len(failures) == 0 {
		return nil, true
	}
	return append(failures, held...), waiting || !confirmAll(up)
}

// confirmAll looks closer at processes that count as up, which costs reading,
// only once nothing else is waited for.
func confirmAll(up []*slot) (all bool) {
	all = true
	for _, l := range up {
		if l.confirmedID != l.id && l.confirmed() != verdictGood {
			all = false
			continue
		}
		l.confirmedID = l.id
	}
	return all
}

type verdict int

const (
	verdictGood verdict = iota
	verdictWaiting
	verdictHeld
	verdictFailed
	verdictUp
)

func (l *slot) verdict() (verdict, string) {
	m := l.machine
	switch {
	case !l.wanted && (l.alive() || l.again):
		return verdictWaiting, ""
	case !l.wanted:
		return verdictGood, ""
	case m.State == muster.StateCrashed, m.State == muster.StateStopping && !m.Again:
		return verdictFailed, m.Reason // stopped by Muster itself: not ready, or not healthy
	case m.State == muster.StateBackoff && m.History.Failures >= givenUpAfter:
		return verdictFailed, m.Reason
	case l.isHeld() && m.History.Starts == 0 && len(l.typ.DependsOn) > 0:
		return verdictHeld, m.Reason
	case m.State == muster.StateUp:
		return verdictUp, ""
	case m.State == muster.StateDown && m.LastExit != nil:
		return verdictGood, ""
	}
	return verdictWaiting, ""
}

// confirmed judges a process that counts as up.
func (l *slot) confirmed() verdict {
	lived := time.Since(l.machine.StartedAt)
	switch {
	case l.typ.Ready != nil && !l.shares():
		return verdictGood
	case l.shares() && lived < confirmSharedFor:
		return l.lookAgain(confirmSharedFor - lived)
	case lived < confirmFor && !l.calm():
		return l.lookAgain(calmFor)
	case l.name.Type == "web" && len(l.typ.Sockets) == 0 && lived < listenFor && !l.listens():
		return l.lookAgain(20 * time.Millisecond)
	}
	return verdictGood
}

// calm reports that the process has not run for a while: it has loaded, and
// waits for work.
func (l *slot) calm() bool {
	ran, sleeps, ok := proctree.Activity(l.machine.PID)
	if !ok {
		return false
	}
	if l.calmID != l.id || !sleeps || ran != l.ran {
		l.calmID, l.ran, l.ranAt = l.id, ran, time.Now()
		return false
	}
	return time.Since(l.ranAt) >= calmFor
}

// shares reports that the process serves on sockets that siblings serve on,
// too, and has no probe that only itself can answer.
func (l *slot) shares() bool {
	p := l.typ.Ready
	return len(l.typ.Sockets) > 0 && (p == nil || p.Kind != muster.ProbeNotify)
}

// listens reports whether the slot's port is listened on, or any port by the
// process itself.
func (l *slot) listens() bool {
	if !proctree.Available() {
		return true
	}
	if _, ok := proctree.Listening(l.port); ok {
		return true
	}
	return len(proctree.ListeningPorts([]int{l.machine.PID})) > 0
}

// lookAgain makes sure that waiters are asked again within d. One timer serves
// them all: every question asked again would otherwise ask for more.
func (l *slot) lookAgain(d time.Duration) verdict {
	s := l.supervisor
	at := time.Now().Add(d)
	if s.look != nil && !at.Before(s.lookAt) {
		return verdictWaiting
	}
	if s.look != nil {
		s.look.Stop()
	}
	s.lookAt = at
	s.look = s.after(d, func() { s.look = nil })
	return verdictWaiting
}
