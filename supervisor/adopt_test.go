package supervisor

import (
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"muster"
	"muster/keeper"
)

func TestAdoptLeavesWhatIsUpAlone(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		o := order(newType("web"), newType("worker"))
		w.apply(o)
		w.after(time.Minute)
		before := w.process("web.1")
		if n := w.successor(true, o); n != 2 {
			t.Errorf("%d adopted, want 2", n)
		}
		if got := w.process("web.1"); got.PID != before.PID || got.State != muster.StateUp || got.Restarts != 0 {
			t.Errorf("got %+v", got)
		}
		w.end("web.1", 1, 0)
		w.wantState("web.1", muster.StateUp)
		if n := w.process("web.1").Restarts; n != 1 {
			t.Errorf("%d restarts after its end, want 1", n)
		}
	})
}

func TestAdoptAsksWhatWasStartingAgain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		probed := newType("web", func(t *muster.ProcessType) {
			t.Ready = &muster.Probe{Kind: muster.ProbeExec, Command: muster.Command{Argv: []string{"check"}}}
		})
		answer := 1
		w.keeper.onSpawn = func(s keeper.Spec) {
			if s.Discard {
				time.AfterFunc(time.Millisecond, func() { w.keeper.end(s.ID, answer, 0) })
			}
		}
		w.apply(order(probed))
		w.after(time.Second)
		w.wantState("web.1", muster.StateStarting)
		pid := w.process("web.1").PID
		w.stop()
		answer = 0
		w.begin()
		inventory, _ := w.keeper.Inventory()
		w.adopt(inventory, true, order(probed))
		w.after(time.Second)
		w.wantState("web.1", muster.StateUp)
		if got := w.process("web.1").PID; got != pid {
			t.Errorf("it was replaced: pid %d, want %d", got, pid)
		}
	})
}

func TestAdoptReplacesWhatMayHaveNotifiedTheDead(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		o := order(newType("web", notifies))
		w.apply(o)
		pid := w.process("web.1").PID
		w.successor(true, o)
		if got := w.process("web.1"); got.PID == pid || got.State != muster.StateStarting {
			t.Errorf("pid %d (%s), want another than %d", got.PID, got.State, pid)
		}
	})
}

func TestAdoptTakesTheEndThatNoDaemonSaw(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		o := order(newType("web"))
		w.apply(o)
		w.stop()
		w.keeper.exited = func(keeper.Exit) {}
		w.end("web.1", 7, 0)
		w.begin()
		inventory, _ := w.keeper.Inventory()
		w.adopt(inventory, true, o)
		got := w.process("web.1")
		if got.State != muster.StateUp || got.Restarts != 1 || got.LastExit == nil || got.LastExit.Code != 7 {
			t.Errorf("got %+v, last exit %v", got.Process, got.LastExit)
		}
	})
}

// Between the question for the inventory and Adopt lie a database and a look
// at every process of the machine; what ends then ends for good.
func TestAdoptMissesNoEndInBetween(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		o := order(newType("web"))
		w.apply(o)
		w.stop()
		w.begin()
		inventory, _ := w.keeper.Inventory()
		w.end("web.1", 7, 0)
		w.adopt(inventory, true, o)
		w.after(time.Minute)
		if n := len(w.keeper.living("shop/web.1")); n != 1 {
			t.Errorf("%d processes run, want 1; Muster says it is %s with pid %d", n, w.process("web.1").State, w.process("web.1").PID)
		}
	})
}

func TestAdoptAfterADeadKeeperStartsAfresh(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		o := order(newType("web"))
		w.apply(o)
		w.stop()
		w.keeper = newFakeKeeper() // its processes died with it
		w.begin()
		w.adopt(keeper.Inventory{}, false, o)
		got := w.process("web.1")
		if got.State != muster.StateUp || got.LastExit == nil || got.LastExit.Reason != "Muster or the machine ended" {
			t.Errorf("got %+v, last exit %v", got.Process, got.LastExit)
		}
	})
}

func TestAdoptKeepsCrashedAndStopped(t *testing.T) {
	for _, same := range []bool{true, false} {
		inWorld(t, func(t *testing.T, w *world) {
			o := order(newType("bad", restarts(muster.RestartNever)), newType("off"))
			w.apply(o)
			w.end("bad.1", 1, 0)
			w.wantState("bad.1", muster.StateCrashed)
			o.Stopped = []string{"off.1"}
			w.apply(o)
			w.successor(same, o)
			w.wantState("bad.1", muster.StateCrashed)
			w.wantState("off.1", muster.StateDown)
		})
	}
}

func TestAdoptGoesOnWithABackoff(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		o := order(newType("web"))
		w.apply(o)
		for range 8 { // the pause is above 5 s now
			w.end("web.1", 1, 0)
			if len(w.keeper.living("shop/web.1")) == 0 {
				w.after(time.Until(w.process("web.1").RetryAt))
			}
		}
		w.end("web.1", 1, 0)
		w.wantState("web.1", muster.StateBackoff)
		retry, starts := w.process("web.1").RetryAt, w.keeper.spawns("shop/web.1")
		w.successor(true, o)
		w.wantState("web.1", muster.StateBackoff)
		w.after(time.Until(retry) - time.Millisecond)
		if n := w.keeper.spawns("shop/web.1"); n != starts {
			t.Error("it was restarted before its time")
		}
		w.after(2 * time.Millisecond)
		if n := w.keeper.spawns("shop/web.1"); n != starts+1 {
			t.Error("it was not restarted at its time")
		}
		if f := w.process("web.1").Failures; f < 5 {
			t.Errorf("%d failures are remembered", f)
		}
	})
}

func TestAdoptRepeatsAStop(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.keeper.onSignal = func(*fakeProcess, syscall.Signal) {}
		o := order(newType("web"))
		w.apply(o)
		o.Stopped = []string{"web.1"}
		w.apply(o)
		w.successor(true, o)
		w.wantState("web.1", muster.StateStopping)
		w.after(11 * time.Second)
		w.wantState("web.1", muster.StateDown)
	})
}

// A process that ended with processes left behind, while no daemon lived.
func TestAdoptClearsLeftovers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		o := order(newType("web"))
		w.apply(o)
		w.stop()
		w.keeper.exited = func(keeper.Exit) {}
		id := w.keeper.living("shop/web.1")[0]
		w.keeper.held[id].left = 1
		w.end("web.1", 1, 0)
		w.begin()
		inventory, _ := w.keeper.Inventory()
		w.adopt(inventory, true, o)
		synctest.Wait()
		w.wantState("web.1", muster.StateUp)
		want(t, w.keeper.calls, []string{"sweep shop/web.1"})
	})
}

// The daemon died between a spawn and its record.
func TestAdoptTakesAnUnrecordedProcess(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		o := order(newType("web"))
		w.apply(o)
		clear(w.saved)
		pid := w.process("web.1").PID
		w.successor(true, o)
		if got := w.process("web.1"); got.PID != pid || got.State != muster.StateUp {
			t.Errorf("got %+v, want pid %d", got.Process, pid)
		}
	})
}

// The daemon died after the end of one process was told and its successor was
// spawned, but before either was recorded: two incarnations are held.
func TestAdoptWithAnOldExitAndANewProcess(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		o := order(newType("web"))
		w.apply(o)
		records := w.records()
		oldID := w.keeper.living("shop/web.1")[0]
		w.end("web.1", 1, 0)
		pid := w.process("web.1").PID
		w.stop()
		w.keeper.held[oldID] = &fakeProcess{Held: keeper.Held{ID: oldID, PID: firstPID + 1, Exit: &keeper.Exit{ID: oldID, Code: 1, At: time.Now()}}}
		for _, r := range records {
			w.saved[r.Slot] = r
		}
		w.begin()
		inventory, _ := w.keeper.Inventory()
		w.adopt(inventory, true, o)
		w.after(time.Minute)
		if living := w.keeper.living("shop/web.1"); len(living) != 1 {
			t.Errorf("%d processes run in one slot", len(living))
		}
		if got := w.process("web.1"); got.PID != pid {
			t.Errorf("web.1 has pid %d (%s), want %d", got.PID, got.State, pid)
		}
	})
}

func TestAdoptAndAOneOff(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		o := order(newType("web"))
		w.apply(o)
		name, _, err := w.engine.RunOneOff(OneOff{App: "shop", Command: muster.Command{Argv: []string{"sh"}}})
		if err != nil {
			t.Fatal(err)
		}
		w.successor(true, o)
		if !w.exists(name.Name()) {
			t.Fatalf("%s is not known any more", name)
		}
		w.said()
		w.end(name.Name(), 4, 0)
		want(t, kinds(w.said(), muster.EventExited), []string{"exited run.1"})
	})
}
