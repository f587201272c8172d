package formation

import (
	"fmt"
	"time"

	"muster"
)

// healthyAfter is how long a process must be up before its earlier failures
// are forgotten (Pebble's rule).
const healthyAfter = 30 * time.Second

// A Policy is what a process type says about the life of its processes, as far
// as the machine needs it.
type Policy struct {
	Restart     muster.Restart
	StopTimeout time.Duration
	StopWith    string // how it is asked, in words: "TERM"
	Probes      bool   // it has a readiness probe
	// Jitter returns a number from 0 to below 1; every backoff is shortened by
	// up to a fifth of itself, so that what failed together does not retry
	// together.
	Jitter func() float64
}

// PolicyOf returns the policy of a process type.
func PolicyOf(t muster.ProcessType, jitter func() float64) Policy {
	with := t.Stop.Signal
	if !t.Stop.Command.IsZero() {
		with = t.Stop.Command.String()
	}
	return Policy{
		Restart: t.Restart, StopTimeout: time.Duration(t.Stop.Timeout), StopWith: with,
		Probes: t.Ready != nil, Jitter: jitter,
	}
}

// A History is what the restart policy remembers of a slot.
type History struct {
	// Starts counts processes started since the slot was last told to start.
	Starts int `json:"starts"`
	// Failures counts unexpected ends since the last time it was healthy.
	Failures int `json:"failures"`
	// Recent are the times of restarts within max_restarts' window.
	Recent []time.Time `json:"recent,omitempty"`
}

// A decision is what follows the end of a wanted process: an end state with
// its reason, or a restart after a pause.
type decision struct {
	history History
	end     muster.State
	reason  string
	after   time.Duration
}

// decide applies the policy. asked tells that Muster itself stopped the
// process, for not being ready or healthy: that counts as a failure whatever
// its exit code.
func (p Policy) decide(h History, exit muster.Exit, asked bool, now time.Time) decision {
	clean := exit.Signal == "" && exit.Code == 0 && !asked
	switch {
	case p.Restart.Mode == muster.RestartNever,
		p.Restart.Mode == muster.RestartOnFailure && clean:
		end := muster.StateDown
		if !clean {
			end = muster.StateCrashed
		}
		return decision{history: h, end: end, reason: fmt.Sprintf("ended with %s; restart = %q", exit, p.Restart.Mode)}
	}
	h.Failures++
	if limit := p.Restart.MaxRestarts; limit.N > 0 {
		h.Recent = append(recentOnly(h.Recent, now.Add(-time.Duration(limit.Within))), now)
		if len(h.Recent) > limit.N {
			return decision{history: h, end: muster.StateCrashed,
				reason: fmt.Sprintf("%d restarts within %s; last exit: %s", limit.N, limit.Within, exit)}
		}
	}
	return decision{history: h, after: p.pause(h.Failures)}
}

func recentOnly(times []time.Time, since time.Time) []time.Time {
	var kept []time.Time
	for _, t := range times {
		if t.After(since) {
			kept = append(kept, t)
		}
	}
	return kept
}

// pause is the wait before the restart that follows the nth failure in a row:
// none, then Initial, doubling up to Max.
func (p Policy) pause(n int) time.Duration {
	if n <= 1 {
		return 0
	}
	b := p.Restart.Backoff
	pause, limit := time.Duration(b.Initial), time.Duration(b.Max)
	for i := 2; i < n && pause < limit; i++ {
		pause *= 2
	}
	pause = min(pause, limit)
	if p.Jitter != nil {
		pause -= time.Duration(p.Jitter() * float64(pause) / 5)
	}
	return pause
}
