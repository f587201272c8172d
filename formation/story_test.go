package formation

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster"
)

var morning = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

func newPolicy(with ...func(*Policy)) Policy {
	p := Policy{StopTimeout: 10 * time.Second, StopWith: "TERM", Restart: muster.Restart{
		Mode: muster.RestartAlways, Backoff: muster.Backoff{Initial: muster.Duration(100 * time.Millisecond), Max: muster.Duration(5 * time.Minute)},
	}}
	for _, f := range with {
		f(&p)
	}
	return p
}

func probed(p *Policy)    { p.Probes = true }
func onFailure(p *Policy) { p.Restart.Mode = muster.RestartOnFailure }
func never(p *Policy)     { p.Restart.Mode = muster.RestartNever }
func atMost(n int) func(*Policy) {
	return func(p *Policy) {
		p.Restart.MaxRestarts = muster.MaxRestarts{N: n, Within: muster.Duration(time.Minute)}
	}
}

func code(n int) *muster.Exit      { return &muster.Exit{Code: n} }
func sig(name string) *muster.Exit { return &muster.Exit{Code: -1, Signal: name} }

// in reads "exited 1", "exited KILL left", "spawned", "stop".
func in(text string) Input {
	if rest, ok := strings.CutPrefix(text, "exited "); ok {
		how, left, _ := strings.Cut(rest, " ")
		exit := sig(how)
		var n int
		if _, err := fmt.Sscanf(how, "%d", &n); err == nil {
			exit = code(n)
		}
		return Input{Kind: Exited, Exit: exit, Left: left == "left"}
	}
	i := Input{Kind: InputKind(text), Reason: "because"}
	switch i.Kind {
	case Spawned:
		i.PID = 7
	case NotSpawned:
		i.Exit = &muster.Exit{Code: 127, Reason: "could not be started: it is not there"}
	case Hold:
		i.Reason = "waits for db to be ready"
	}
	return i
}

// shown is a step the way the tables write it: "up: spawn, tell up".
func shown(m Machine, actions []Action) string {
	var words []string
	for _, a := range actions {
		switch a.Kind {
		case Tell:
			words = append(words, fmt.Sprintf("%q", a.Event.Message))
		case SetTimeout, SetRetry, SetHealthy:
			words = append(words, fmt.Sprintf("%s %s", a.Kind, a.After))
		default:
			words = append(words, string(a.Kind))
		}
	}
	return strings.TrimSuffix(fmt.Sprintf("%s: %s", m.State, strings.Join(words, ", ")), ": ")
}

// A story is a table: what comes in, then "->" and what follows from it.
type story struct {
	name   string
	policy Policy
	steps  string
}

var stories = []story{
	{"start without a probe", newPolicy(), `
start -> starting: spawn
spawned -> up: "started with pid 7: because", "is up: runs", set healthy 30s
healthy -> up
ready -> up
start -> up
retry -> up
timeout -> up
cleared -> up`},
	{"start with a probe", newPolicy(probed), `
start -> starting: spawn
spawned -> starting: "started with pid 7: because", probe
ready -> up: "is up: because", set healthy 30s`},
	{"stop", newPolicy(), `
start -> starting: spawn
spawned -> up: "started with pid 7: because", "is up: runs", set healthy 30s
stop -> stopping: "stopping (TERM): because", ask to stop, set timeout 10s
stop -> stopping
exited TERM -> down: "exited: signal TERM -> down"
stop -> down`},
	{"stop that takes too long", newPolicy(), `
start -> starting: spawn
spawned -> up: "started with pid 7: because", "is up: runs", set healthy 30s
stop -> stopping: "stopping (TERM): because", ask to stop, set timeout 10s
timeout -> stopping: "did not stop within 10s: KILL to its whole tree", kill
timeout -> stopping
exited KILL -> down: "exited: signal KILL (did not stop within 10s) -> down"`},
	{"stop that leaves something", newPolicy(), `
start -> starting: spawn
spawned -> up: "started with pid 7: because", "is up: runs", set healthy 30s
stop -> stopping: "stopping (TERM): because", ask to stop, set timeout 10s
exited 0 left -> stopping: clear
timeout -> stopping: "did not stop within 10s: KILL to its whole tree", kill
cleared -> down: "exited: code 0 -> down"
cleared -> down`},
	{"stop while it waits", newPolicy(), `
hold -> starting: "waits for db to be ready"
hold -> starting
stop -> down: "is down: because"`},
	{"stop during the spawn", newPolicy(), `
start -> starting: spawn
stop -> starting
spawned -> stopping: "stopping (TERM): because", ask to stop, set timeout 10s
exited TERM -> down: "exited: signal TERM -> down"`},
	{"stop in backoff", newPolicy(), `
start -> starting: spawn
not spawned -> starting: "exited: code 127 (could not be started: it is not there) -> restarting in 0 ms", spawn
not spawned -> backoff: "exited: code 127 (could not be started: it is not there) -> restarting in 100 ms", set retry 100ms
start -> backoff
stop -> down: "is down: because"
retry -> down`},
	{"crash and restart", newPolicy(), `
start -> starting: spawn
spawned -> up: "started with pid 7: because", "is up: runs", set healthy 30s
exited 1 -> starting: "exited: code 1 -> restarting in 0 ms", spawn
spawned -> up: "started with pid 7: restarted after code 1", "is up: runs", set healthy 30s
exited SEGV -> backoff: "exited: signal SEGV -> restarting in 100 ms", set retry 100ms
retry -> starting: spawn
spawned -> up: "started with pid 7: restarted after signal SEGV", "is up: runs", set healthy 30s
healthy -> up
exited 1 -> starting: "exited: code 1 -> restarting in 0 ms", spawn`},
	{"crash that leaves something", newPolicy(), `
start -> starting: spawn
spawned -> up: "started with pid 7: because", "is up: runs", set healthy 30s
exited 1 left -> up: kill
cleared -> starting: "exited: code 1 -> restarting in 0 ms", spawn`},
	{"stop while what is left is killed", newPolicy(), `
start -> starting: spawn
spawned -> up: "started with pid 7: because", "is up: runs", set healthy 30s
exited 1 left -> up: kill
stop -> stopping: "stopping (TERM): because", ask to stop, set timeout 10s
cleared -> down: "exited: code 1 -> down"`},
	{"restart", newPolicy(), `
start -> starting: spawn
spawned -> up: "started with pid 7: because", "is up: runs", set healthy 30s
restart -> stopping: "stopping (TERM): because", ask to stop, set timeout 10s
restart -> stopping
exited 0 -> starting: "exited: code 0 -> starting again", spawn`},
	{"restart while stopping", newPolicy(), `
start -> starting: spawn
spawned -> up: "started with pid 7: because", "is up: runs", set healthy 30s
stop -> stopping: "stopping (TERM): because", ask to stop, set timeout 10s
restart -> stopping
exited 0 -> starting: "exited: code 0 -> starting again", spawn`},
	{"start while stopping", newPolicy(), `
start -> starting: spawn
spawned -> up: "started with pid 7: because", "is up: runs", set healthy 30s
stop -> stopping: "stopping (TERM): because", ask to stop, set timeout 10s
start -> stopping
exited 0 -> starting: "exited: code 0 -> starting again", spawn`},
	{"stop while restarting", newPolicy(), `
start -> starting: spawn
spawned -> up: "started with pid 7: because", "is up: runs", set healthy 30s
restart -> stopping: "stopping (TERM): because", ask to stop, set timeout 10s
stop -> stopping
exited 0 -> down: "exited: code 0 -> down"`},
	{"not ready in time", newPolicy(probed), `
start -> starting: spawn
spawned -> starting: "started with pid 7: because", probe
not ready -> stopping: "stopping (TERM): because", ask to stop, set timeout 10s
exited 0 -> starting: "exited: code 0 -> restarting in 0 ms", spawn`},
	{"unhealthy", newPolicy(onFailure), `
start -> starting: spawn
spawned -> up: "started with pid 7: because", "is up: runs", set healthy 30s
unhealthy -> stopping: "stopping (TERM): because", ask to stop, set timeout 10s
unhealthy -> stopping
exited 0 -> starting: "exited: code 0 -> restarting in 0 ms", spawn`},
	{"on-failure, clean", newPolicy(onFailure), `
start -> starting: spawn
spawned -> up: "started with pid 7: because", "is up: runs", set healthy 30s
exited 0 -> down: "exited: code 0 -> down"`},
	{"on-failure, not clean", newPolicy(onFailure), `
start -> starting: spawn
spawned -> up: "started with pid 7: because", "is up: runs", set healthy 30s
exited 2 -> starting: "exited: code 2 -> restarting in 0 ms", spawn`},
	{"never, not clean", newPolicy(never), `
start -> starting: spawn
spawned -> up: "started with pid 7: because", "is up: runs", set healthy 30s
exited TERM -> crashed: "exited: signal TERM -> crashed", "crashed: ended with signal TERM; restart = \"never\""
retry -> crashed
start -> starting: spawn`},
	{"never, clean", newPolicy(never), `
start -> starting: spawn
spawned -> up: "started with pid 7: because", "is up: runs", set healthy 30s
exited 0 -> down: "exited: code 0 -> down"
restart -> starting: spawn`},
	{"max_restarts", newPolicy(atMost(2)), `
start -> starting: spawn
spawned -> up: "started with pid 7: because", "is up: runs", set healthy 30s
exited 1 -> starting: "exited: code 1 -> restarting in 0 ms", spawn
spawned -> up: "started with pid 7: restarted after code 1", "is up: runs", set healthy 30s
exited 1 -> backoff: "exited: code 1 -> restarting in 100 ms", set retry 100ms
retry -> starting: spawn
spawned -> up: "started with pid 7: restarted after code 1", "is up: runs", set healthy 30s
exited 1 -> crashed: "exited: code 1 -> crashed", "crashed: 2 restarts within 1m; last exit: code 1"
stop -> down: "is down: because"`},
}

func TestStories(t *testing.T) {
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			var m Machine
			m.State = muster.StateDown
			var got []string
			for _, step := range strings.Split(strings.TrimSpace(s.steps), "\n") {
				text, _, _ := strings.Cut(step, " -> ")
				var actions []Action
				m, actions = m.Next(in(text), s.policy, morning)
				got = append(got, text+" -> "+shown(m, actions))
			}
			if diff := cmp.Diff(strings.Split(strings.TrimSpace(s.steps), "\n"), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What has ended can not become ready, whatever an answer on its way says.
func TestReadyAfterTheEndMeansNothing(t *testing.T) {
	var m Machine
	p := newPolicy(probed)
	for _, text := range []string{"start", "spawned", "exited 1 left"} {
		m, _ = m.Next(in(text), p, morning)
	}
	next, actions := m.Next(in("ready"), p, morning)
	if next.State == muster.StateUp || len(actions) > 0 {
		t.Errorf("a process that has ended is %s", shown(next, actions))
	}
}

func TestPauses(t *testing.T) {
	p := newPolicy()
	want := []time.Duration{0, 100 * time.Millisecond}
	for d := 200 * time.Millisecond; d < 5*time.Minute; d *= 2 {
		want = append(want, d)
	}
	want = append(want, 5*time.Minute, 5*time.Minute)
	for i, w := range want {
		if got := p.pause(i + 1); got != w {
			t.Errorf("failure %d: %s, want %s", i+1, got, w)
		}
		for _, j := range []float64{0, 0.5, 0.999999} {
			p.Jitter = func() float64 { return j }
			if got := p.pause(i + 1); got > w || got < w*8/10 {
				t.Errorf("failure %d with jitter %v: %s, want within 20%% below %s", i+1, j, got, w)
			}
		}
		p.Jitter = nil
	}
	if got := p.pause(1 << 20); got != 5*time.Minute {
		t.Errorf("after a million failures: %s", got)
	}
}

func TestMaxRestartsForgetsWhatIsOutsideTheWindow(t *testing.T) {
	p, now := newPolicy(atMost(3)), morning
	var h History
	for i := range 100 {
		now = now.Add(21 * time.Second) // at most three within a minute
		d := p.decide(h, *code(1), false, now)
		if d.end != "" {
			t.Fatalf("restart %d: %s", i, d.reason)
		}
		h = d.history
		if len(h.Recent) > 3 {
			t.Fatalf("%d times are remembered", len(h.Recent))
		}
	}
}

// A life of more than 30 s forgives the backoff, not the count in a window.
func TestHealthyKeepsTheWindowOfMaxRestarts(t *testing.T) {
	m := Machine{State: muster.StateUp, Running: true, Wanted: true, History: History{Failures: 3, Starts: 4, Recent: []time.Time{morning}}}
	m, _ = m.Next(Input{Kind: Healthy}, newPolicy(atMost(3)), morning)
	if m.History.Failures != 0 || len(m.History.Recent) != 1 || m.History.Starts != 4 {
		t.Errorf("it remembers %+v", m.History)
	}
}
