package formation

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster"
)

// A keeperModel is what a machine's actions lead to: at most one process, and
// what it leaves behind.
type keeperModel struct {
	alive, left bool
	asked       bool // AskToStop was carried out
	spawning    bool
	killed      bool
	timeout     bool // the timer runs
}

// possible are the inputs that can happen now. Orders always can, and so can
// stale timers and answers.
func (k keeperModel) possible(m Machine) []Input {
	if k.spawning {
		return []Input{in("spawned"), in("not spawned")} // the supervisor waits for it
	}
	inputs := []Input{in("stop"), in("restart"), in("healthy"), in("retry"), in("unhealthy"), in("ready"), in("not ready"), in("cleared")}
	if !m.Wanted || m.State == muster.StateStarting && !m.Running {
		inputs = append(inputs, in("start"), in("hold"))
	}
	if k.timeout {
		inputs = append(inputs, in("timeout"))
	}
	if k.alive {
		inputs = append(inputs, in("exited 0"), in("exited 1"), in("exited KILL"), in("exited 0 left"), in("exited TERM left"))
	}
	return inputs
}

func (k *keeperModel) happens(i Input) {
	switch i.Kind {
	case Spawned:
		k.alive, k.spawning = true, false
	case NotSpawned:
		k.spawning = false
	case Exited:
		k.alive, k.left, k.timeout = false, i.Left, i.Left && k.timeout
	case Cleared:
		k.left = false
	}
}

func (k *keeperModel) carryOut(t *rapid.T, m Machine, i Input, actions []Action) {
	for _, a := range actions {
		switch a.Kind {
		case Spawn:
			if k.alive || k.left || k.spawning {
				t.Fatalf("%s: it spawns while something runs: %+v", i.Kind, m)
			}
			k.spawning, k.asked, k.killed, k.timeout = true, false, false, false
		case Kill:
			if i.Kind != Timeout && !(i.Kind == Exited && i.Left) {
				t.Fatalf("%s: it kills without a timeout and with nothing left: %+v", i.Kind, m)
			}
			k.killed = true
		case SetTimeout:
			k.timeout = true
		case AskToStop:
			k.asked = true
		}
	}
}

func TestMachineNeverHasTwoProcesses(t *testing.T) {
	policies := []Policy{newPolicy(), newPolicy(probed), newPolicy(onFailure), newPolicy(never), newPolicy(atMost(2), probed)}
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(policies).Draw(t, "policy")
		m, k, now := Machine{State: muster.StateDown}, keeperModel{}, morning
		step := func(i Input) {
			if i.Kind == Cleared && (k.alive || !k.left) {
				i = in("healthy") // nobody says so
			}
			before := m.Restarts
			k.happens(i)
			var actions []Action
			m, actions = m.Next(i, p, now)
			if m.Restarts < before {
				t.Fatalf("%s: restarts went from %d to %d", i.Kind, before, m.Restarts)
			}
			k.carryOut(t, m, i, actions)
			consistent(t, m, k)
		}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "seconds")) * time.Second)
			step(rapid.SampledFrom(k.possible(m)).Draw(t, "input"))
		}
		endsDown(t, step, &m, &k)
	})
}

func consistent(t *rapid.T, m Machine, k keeperModel) {
	if m.Running != (k.alive || k.left) {
		t.Fatalf("Running is %v with alive %v, left %v: %+v", m.Running, k.alive, k.left, m)
	}
	if (m.PID != 0) != k.alive {
		t.Fatalf("PID is %d with alive %v: %+v", m.PID, k.alive, m)
	}
	if m.State == muster.StateDown && m.Running {
		t.Fatalf("it is down and runs: %+v", m)
	}
	if !m.Wanted && !m.Running && !k.spawning && m.State != muster.StateDown {
		t.Fatalf("it is not wanted, does not run, and is %s", m.State)
	}
}

// endsDown: once stopped, whatever runs ends, and the slot is down.
func endsDown(t *rapid.T, step func(Input), m *Machine, k *keeperModel) {
	step2 := func(i Input) {
		if k.spawning {
			step(in("spawned"))
		}
		step(i)
	}
	step2(in("stop"))
	if k.spawning {
		step(in("spawned"))
	}
	if k.alive && !k.asked {
		t.Fatalf("it was never asked to stop: %+v", *m)
	}
	if k.timeout {
		step(in("timeout"))
	}
	if k.alive {
		step(in("exited KILL"))
	}
	if k.left {
		step(in("cleared"))
	}
	if m.State != muster.StateDown || m.Running || k.spawning {
		t.Fatalf("it is not wanted, and is %+v", *m)
	}
}

func TestRestartCountFollowsSpawns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newPolicy()
		m, _ := (Machine{State: muster.StateDown}).Next(in("start"), p, morning)
		ends := rapid.IntRange(1, 30).Draw(t, "ends")
		for range ends {
			m, _ = m.Next(in("spawned"), p, morning)
			m, _ = m.Next(in("exited 1"), p, morning)
			if m.State == muster.StateBackoff {
				m, _ = m.Next(in("retry"), p, morning)
			}
		}
		if m.Restarts != ends {
			t.Fatalf("%d restarts after %d ends", m.Restarts, ends)
		}
	})
}
