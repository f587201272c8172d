package formation

import (
	"fmt"
	"time"

	"muster"
)

// A Machine is what is known of one slot and the process in it. It changes
// only through Next.
type Machine struct {
	State  muster.State `json:"state"`
	Reason string       `json:"reason"`
	// Wanted is whether the slot should have a process.
	Wanted bool `json:"wanted"`
	// Spawning is whether the keeper was asked to start a process, and has not
	// answered yet.
	Spawning bool `json:"-"`
	// Running is whether anything of a process exists: it, or with PID 0 what it
	// left behind.
	Running   bool         `json:"running"`
	PID       int          `json:"pid"`
	StartedAt time.Time    `json:"started_at"`
	Restarts  int          `json:"restarts"`
	LastExit  *muster.Exit `json:"last_exit,omitempty"`
	// History is what the restart policy remembers.
	History History `json:"history"`
	// again is set while stopping only to be started afresh.
	Again bool `json:"again,omitempty"`
	// Killed is set once the process was killed for not stopping in time.
	Killed bool `json:"killed,omitempty"`
	// RetryAt is when a slot in backoff is tried again.
	RetryAt time.Time `json:"retry_at,omitzero"`
}

// An Input is what can happen to a slot.
type Input struct {
	Kind   InputKind
	PID    int          // Spawned
	Exit   *muster.Exit // Exited
	Left   bool         // Exited: processes it started are still alive
	Reason string       // the cause, in words, for the journal
}

// An InputKind names an Input.
type InputKind string

const (
	Start      InputKind = "start"       // it should run, and nothing holds it back
	Hold       InputKind = "hold"        // it should run, but waits for what it depends on
	Stop       InputKind = "stop"        // it should not run
	Restart    InputKind = "restart"     // it should run afresh
	Spawned    InputKind = "spawned"     // the keeper started it
	NotSpawned InputKind = "not spawned" // the keeper could not
	Ready      InputKind = "ready"       // its probe is satisfied
	NotReady   InputKind = "not ready"   // its probe gave up
	Unhealthy  InputKind = "unhealthy"   // its healthcheck failed too often
	Exited     InputKind = "exited"      // it ended
	Cleared    InputKind = "cleared"     // what it left behind is gone
	Timeout    InputKind = "timeout"     // it did not stop in time
	Retry      InputKind = "retry"       // its backoff is over
	Healthy    InputKind = "healthy"     // it has been up long enough to forgive its past
)

// An Action is what the supervisor is to do, in order.
type Action struct {
	Kind  ActionKind
	After time.Duration // of the timers
	Event muster.Event  // of Tell; only what the machine knows is filled in
}

// An ActionKind names an Action.
type ActionKind string

const (
	Spawn      ActionKind = "spawn"
	Probe      ActionKind = "probe"       // start asking whether it is ready
	AskToStop  ActionKind = "ask to stop" // the stop signal or command
	Kill       ActionKind = "kill"        // KILL to the whole tree
	Clear      ActionKind = "clear"       // wait for what it left, kill it at the stop timeout
	SetTimeout ActionKind = "set timeout" // send Timeout after After
	SetRetry   ActionKind = "set retry"
	SetHealthy ActionKind = "set healthy"
	Tell       ActionKind = "tell"
)

// Next returns the machine after an input, and what that asks for. An input
// that means nothing in a state changes nothing.
func (m Machine) Next(in Input, p Policy, now time.Time) (Machine, []Action) {
	switch in.Kind {
	case Start:
		return m.start(in)
	case Hold:
		return m.hold(in)
	case Stop:
		return m.stop(in, p)
	case Restart:
		return m.restart(in, p)
	case Spawned:
		return m.spawned(in, p, now)
	case NotSpawned:
		m.LastExit, m.Spawning = in.Exit, false
		return m.cleared(p, now)
	case Ready:
		return m.ready(in)
	case NotReady, Unhealthy:
		return m.failed(in, p)
	case Exited:
		return m.exited(in, p, now)
	case Cleared:
		if !m.Running || m.PID != 0 {
			return m, nil
		}
		return m.cleared(p, now)
	case Timeout:
		return m.timeout(p)
	case Retry:
		return m.retry(in)
	case Healthy:
		m.History.Failures = 0
		return m, nil
	}
	return m, nil
}

func (m Machine) start(in Input) (Machine, []Action) {
	wasWaiting := m.State == muster.StateStarting && !m.Running
	switch {
	case m.Spawning:
		m.Wanted = true
		return m, nil
	case m.Running && m.State == muster.StateStopping:
		m.Wanted, m.Again, m.Reason = true, true, in.Reason
		return m, nil
	case m.Running && m.Wanted:
		return m, nil
	case m.State == muster.StateBackoff && m.Wanted:
		return m, nil
	}
	if !wasWaiting {
		m.History = History{}
	}
	m.Wanted, m.State, m.Reason = true, muster.StateStarting, in.Reason
	return m.spawn()
}

// spawn asks for a process, after what is told.
func (m Machine) spawn(told ...Action) (Machine, []Action) {
	m.Spawning = true
	return m, append(told, Action{Kind: Spawn})
}

func (m Machine) hold(in Input) (Machine, []Action) {
	if m.Running || m.Spawning || m.State == muster.StateStarting && m.Reason == in.Reason {
		return m, nil
	}
	m.Wanted, m.State, m.Reason = true, muster.StateStarting, in.Reason
	return m, []Action{m.tell(muster.EventWaiting, "%s", in.Reason)}
}

func (m Machine) stop(in Input, p Policy) (Machine, []Action) {
	m.Wanted, m.Again = false, false
	switch {
	case m.Spawning: // once it is there
		m.Reason = in.Reason
		return m, nil
	case !m.Running:
		if m.State == muster.StateDown {
			return m, nil
		}
		m.State, m.Reason, m.RetryAt = muster.StateDown, in.Reason, time.Time{}
		return m, []Action{m.tell(muster.EventDown, "is down: %s", in.Reason)}
	case m.State == muster.StateStopping:
		return m, nil
	}
	return m.askToStop(in, p)
}

func (m Machine) restart(in Input, p Policy) (Machine, []Action) {
	switch {
	case m.Spawning: // what is being started is fresh
		m.Wanted = true
		return m, nil
	case !m.Running:
		m.Wanted, m.State, m.Reason = true, muster.StateStarting, in.Reason
		m.History, m.RetryAt = History{}, time.Time{}
		return m.spawn()
	case m.State == muster.StateStopping:
		m.Wanted, m.Again, m.Reason = true, true, in.Reason
		return m, nil
	}
	m.Again = true
	return m.askToStop(in, p)
}

func (m Machine) askToStop(in Input, p Policy) (Machine, []Action) {
	m.State, m.Reason, m.Killed = muster.StateStopping, in.Reason, false
	return m, []Action{
		m.tell(muster.EventStopping, "stopping (%s): %s", p.StopWith, in.Reason),
		{Kind: AskToStop},
		{Kind: SetTimeout, After: p.StopTimeout},
	}
}

func (m Machine) spawned(in Input, p Policy, now time.Time) (Machine, []Action) {
	m.Spawning, m.Running, m.PID, m.StartedAt, m.Killed = false, true, in.PID, now, false
	m.History.Starts++
	cause := m.Reason
	if !m.Wanted { // asked to stop while it was being started
		m.State = muster.StateUp
		return m.askToStop(Input{Reason: cause}, p)
	}
	m.State, m.Reason = muster.StateStarting, "started"
	actions := []Action{m.tell(muster.EventStarting, "started with pid %d: %s", in.PID, cause)}
	if p.Probes {
		return m, append(actions, Action{Kind: Probe})
	}
	m, more := m.ready(Input{Reason: "runs"})
	return m, append(actions, more...)
}

func (m Machine) ready(in Input) (Machine, []Action) {
	if m.State != muster.StateStarting || m.PID == 0 {
		return m, nil
	}
	m.State, m.Reason = muster.StateUp, in.Reason
	return m, []Action{
		m.tell(muster.EventUp, "is up: %s", in.Reason),
		{Kind: SetHealthy, After: healthyAfter},
	}
}

// failed replaces a process that runs but does not do its work.
func (m Machine) failed(in Input, p Policy) (Machine, []Action) {
	if !m.Running || m.State == muster.StateStopping {
		return m, nil
	}
	// Not Again: what follows its end is the restart policy's business.
	return m.askToStop(in, p)
}

func (m Machine) timeout(p Policy) (Machine, []Action) {
	if m.State != muster.StateStopping || m.Killed {
		return m, nil
	}
	m.Killed = true
	return m, []Action{
		m.tell(muster.EventSignalled, "did not stop within %s: KILL to its whole tree", muster.Duration(p.StopTimeout)),
		{Kind: Kill},
	}
}

// exited takes the end of the process, and clears away what it left before
// anything else happens: a successor would find its port taken.
func (m Machine) exited(in Input, p Policy, now time.Time) (Machine, []Action) {
	exit := *in.Exit
	if m.Killed && exit.Signal == "KILL" && exit.Reason == "" {
		exit.Reason = fmt.Sprintf("did not stop within %s", muster.Duration(p.StopTimeout))
	}
	m.LastExit, m.PID = &exit, 0
	if !in.Left {
		return m.cleared(p, now)
	}
	if m.State == muster.StateStopping && !m.Killed {
		return m, []Action{{Kind: Clear}} // the rest of the tree has until the timeout
	}
	return m, []Action{{Kind: Kill}}
}

// cleared decides what follows once nothing of the process is left.
func (m Machine) cleared(p Policy, now time.Time) (Machine, []Action) {
	asked := m.State == muster.StateStopping
	m.Running, m.Killed = false, false
	switch {
	case !m.Wanted:
		m.State = muster.StateDown
		return m, []Action{m.tellExit("down")}
	case m.Again:
		m.Again, m.State, m.History = false, muster.StateStarting, History{}
		m.Restarts++
		return m.spawn(m.tellExit("starting again"))
	}
	return m.decide(p.decide(m.History, *m.LastExit, asked, now), now)
}

func (m Machine) decide(d decision, now time.Time) (Machine, []Action) {
	m.History = d.history
	switch {
	case d.end == muster.StateDown:
		m.State, m.Reason = muster.StateDown, d.reason
		return m, []Action{m.tellExit("down")}
	case d.end == muster.StateCrashed:
		m.State, m.Reason = muster.StateCrashed, d.reason
		return m, []Action{m.tellExit("crashed"), m.tell(muster.EventCrashed, "crashed: %s", d.reason)}
	case d.after == 0:
		m.Restarts++
		m.State, m.Reason = muster.StateStarting, "restarted after "+m.LastExit.String()
		return m.spawn(m.tellExit("restarting in 0 ms"))
	}
	m.State = muster.StateBackoff
	m.Reason = fmt.Sprintf("%s; restarting in %s", m.LastExit, roundPause(d.after))
	m.RetryAt = now.Add(d.after)
	return m, []Action{
		m.tellExit("restarting in " + roundPause(d.after)),
		{Kind: SetRetry, After: d.after},
	}
}

func (m Machine) retry(in Input) (Machine, []Action) {
	if m.State != muster.StateBackoff {
		return m, nil
	}
	m.Restarts++
	m.State, m.Reason, m.RetryAt = muster.StateStarting, "restarted after "+m.LastExit.String(), time.Time{}
	return m.spawn()
}

func (m Machine) tellExit(next string) Action {
	a := m.tell(muster.EventExited, "exited: %s -> %s", m.LastExit, next)
	a.Event.Exit = m.LastExit
	return a
}

func (m Machine) tell(kind muster.EventKind, format string, args ...any) Action {
	return Action{Kind: Tell, Event: muster.Event{
		Kind: kind, State: m.State, PID: m.PID, Message: fmt.Sprintf(format, args...),
	}}
}

func roundPause(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
