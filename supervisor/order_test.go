package supervisor

import (
	"context"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster"
)

func want(t *testing.T, got, want []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestStartFollowsDependenciesAndStopReversesThem(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.apply(order(
			newType("web", after("api", muster.ConditionReady)),
			newType("api", after("db", muster.ConditionReady)),
			newType("db", notifies),
		))
		want(t, kinds(w.said(), muster.EventStarting, muster.EventUp, muster.EventWaiting),
			[]string{"waiting web.1", "waiting api.1", "starting db.1"})
		w.engine.Notify(slotNamed("db.1"))
		want(t, kinds(w.said(), muster.EventStarting, muster.EventUp),
			[]string{"up db.1", "starting api.1", "up api.1", "starting web.1", "up web.1"})

		if err := w.engine.StopAll(context.Background(), "the end"); err != nil {
			t.Fatal(err)
		}
		want(t, kinds(w.said(), muster.EventStopping, muster.EventExited),
			[]string{"stopping web.1", "exited web.1", "stopping api.1", "exited api.1", "stopping db.1", "exited db.1"})
	})
}

func TestConditions(t *testing.T) {
	for _, condition := range []muster.Condition{muster.ConditionStarted, muster.ConditionReady, muster.ConditionCompleted} {
		t.Run(string(condition), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.apply(order(newType("web", after("job", condition)), newType("job", notifies, restarts(muster.RestartNever))))
				started := func() bool { return w.keeper.spawns("shop/web.1") > 0 }
				if started() != (condition == muster.ConditionStarted) {
					t.Errorf("web runs: %v, with job only started", started())
				}
				w.engine.Notify(slotNamed("job.1"))
				synctest.Wait()
				if started() != (condition != muster.ConditionCompleted) {
					t.Errorf("web runs: %v, with job ready", started())
				}
				w.end("job.1", 0, 0)
				if !started() {
					t.Error("web does not run, with job completed")
				}
			})
		})
	}
}

func TestACrashOfADependencyLeavesItsDependentsAlone(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.apply(order(newType("db"), newType("web", after("db", muster.ConditionReady))))
		pid := w.process("web.1").PID
		w.end("db.1", 1, 0)
		w.after(time.Minute)
		if got := w.process("web.1"); got.PID != pid || got.State != muster.StateUp {
			t.Errorf("web.1 has pid %d (%s), want %d", got.PID, got.State, pid)
		}
		w.wantState("db.1", muster.StateUp)
	})
}

// A restart of everything must not start a process before what it waits for.
func TestRestartDoesNotReleaseWhatIsHeld(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.apply(order(newType("web", after("db", muster.ConditionReady)), newType("db", notifies)))
		w.engine.Restart([]muster.Slot{slotNamed("web.1")}, "muster restart")
		synctest.Wait()
		if n := w.keeper.spawns("shop/web.1"); n != 0 {
			t.Errorf("web.1 was started %d times although db is not ready", n)
		}
	})
}

// The help of `muster restart` says "stopped in order and started again".
func TestRestartOfAnAppKeepsTheOrder(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.apply(order(newType("db", notifies), newType("web", after("db", muster.ConditionReady))))
		w.engine.Notify(slotNamed("db.1"))
		w.said()
		w.engine.Restart([]muster.Slot{slotNamed("db.1"), slotNamed("web.1")}, "muster restart")
		said := kinds(w.said(), muster.EventStopping, muster.EventStarting)
		if len(said) == 0 || said[0] != "stopping web.1" {
			t.Errorf("it went %v, want web.1 to stop before db.1", said)
		}
		if n := w.keeper.spawns("shop/web.1"); n != 1 {
			t.Errorf("web.1 was started again before db.1 was ready (starts: %d)", n)
		}
	})
}

func TestStopWaitsForDependentsOnly(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		o := order(newType("db"), newType("web", after("db", muster.ConditionStarted)))
		w.apply(o)
		w.keeper.onSignal = func(p *fakeProcess, sig syscall.Signal) {
			time.AfterFunc(3*time.Second, func() { w.keeper.end(p.ID, 0, 0) })
		}
		o.Stopped = []string{"web.1", "db.1"}
		w.said()
		w.apply(o)
		w.after(time.Second)
		w.wantState("db.1", muster.StateUp)
		w.wantState("web.1", muster.StateStopping)
		w.after(10 * time.Second)
		w.wantState("db.1", muster.StateDown)
	})
}

func TestScaling(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		o := order(newType("web"))
		o.Counts["web"] = 3
		w.apply(o)
		pid := w.process("web.1").PID
		for _, name := range []string{"web.1", "web.2", "web.3"} {
			w.wantState(name, muster.StateUp)
		}
		o.Counts = map[string]int{"web": 1}
		w.apply(o)
		if w.exists("web.2") || w.exists("web.3") || !w.exists("web.1") {
			t.Errorf("%d processes are left, want web.1", len(w.engine.Processes()))
		}
		if got := w.process("web.1").PID; got != pid {
			t.Errorf("web.1 has pid %d, want %d", got, pid)
		}
		o.Counts = map[string]int{"web": 0}
		w.apply(o)
		if len(w.engine.Processes()) != 0 || len(w.records()) != 0 {
			t.Errorf("processes %v, records %v are left", w.engine.Processes(), w.records())
		}
	})
}

func TestOneShotTypesAreNoPartOfTheFormation(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.apply(order(newType("release"), newType("postdeploy"), newType("web")))
		if n := len(w.engine.Processes()); n != 1 {
			t.Errorf("%d processes, want web.1 alone", n)
		}
	})
}
