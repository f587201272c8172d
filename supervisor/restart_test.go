package supervisor

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"muster"
	"muster/keeper"
)

func TestBackoffDoublesInFakeTime(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.apply(order(newType("web")))
		w.end("web.1", 1, 0)
		if n := w.keeper.spawns("shop/web.1"); n != 2 {
			t.Fatalf("after its first failure web.1 was started %d times, want 2: at once", n)
		}
		pause := 100 * time.Millisecond
		for range 14 {
			before := w.keeper.spawns("shop/web.1")
			w.end("web.1", 1, 0)
			w.wantState("web.1", muster.StateBackoff)
			wait := time.Until(w.process("web.1").RetryAt)
			if wait > pause || wait < pause*8/10 {
				t.Fatalf("it waits %s, want %s less at most 20%%", wait, pause)
			}
			w.after(wait - time.Millisecond)
			if n := w.keeper.spawns("shop/web.1"); n != before {
				t.Fatalf("it was restarted before %s", wait)
			}
			w.after(time.Millisecond)
			if n := w.keeper.spawns("shop/web.1"); n != before+1 {
				t.Fatalf("it was not restarted after %s", wait)
			}
			pause = min(2*pause, 5*time.Minute)
		}
		w.after(30 * time.Second)
		if f := w.process("web.1").Failures; f != 0 {
			t.Errorf("after 30 s up, %d failures are remembered", f)
		}
		before := w.keeper.spawns("shop/web.1")
		w.end("web.1", 1, 0)
		if n := w.keeper.spawns("shop/web.1"); n != before+1 {
			t.Error("a healthy process's end is not followed by a start at once")
		}
	})
}

func TestMaxRestartsWithinAnHourCountsHealthyLives(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.apply(order(newType("web", func(t *muster.ProcessType) {
			t.Restart.MaxRestarts = muster.MaxRestarts{N: 5, Within: muster.Duration(time.Hour)}
		})))
		for range 20 { // every 40 s: 20 restarts in less than 14 minutes
			if len(w.keeper.living("shop/web.1")) == 0 {
				break
			}
			w.after(40 * time.Second)
			w.end("web.1", 1, 0)
		}
		w.wantState("web.1", muster.StateCrashed)
	})
}

func TestStopTimeoutKills(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.keeper.onSignal = func(*fakeProcess, syscall.Signal) {} // deaf
		o := order(newType("web"))
		w.apply(o)
		o.Stopped = []string{"web.1"}
		w.apply(o)
		w.after(10*time.Second - time.Millisecond)
		w.wantState("web.1", muster.StateStopping)
		w.after(2 * time.Millisecond)
		w.wantState("web.1", muster.StateDown)
		exit := w.process("web.1").LastExit
		if exit == nil || exit.Reason != "did not stop within 10s" || exit.Signal != "KILL" {
			t.Errorf("it ended with %v", exit)
		}
	})
}

// What a stopped process leaves behind has the rest of the process's own time.
func TestLeftoversHaveTheRestOfTheStopTimeout(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.keeper.onSignal = func(p *fakeProcess, _ syscall.Signal) {
			time.AfterFunc(6*time.Second, func() {
				w.keeper.mu.Lock()
				p.left = 1
				w.keeper.mu.Unlock()
				w.keeper.end(p.ID, 0, 0)
			})
		}
		o := order(newType("web"))
		w.apply(o)
		o.Stopped = []string{"web.1"}
		w.apply(o)
		w.after(7 * time.Second)
		w.wantState("web.1", muster.StateStopping)
		w.after(4 * time.Second) // 11 s after it was asked
		w.wantState("web.1", muster.StateDown)
	})
}

func TestLeftoversOfACrashAreClearedBeforeTheRestart(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.apply(order(newType("web")))
		id := w.keeper.living("shop/web.1")[0]
		w.keeper.mu.Lock()
		w.keeper.held[id].left = 2
		w.keeper.mu.Unlock()
		w.end("web.1", 1, 0)
		want(t, w.keeper.calls, []string{"sweep shop/web.1"})
		w.wantState("web.1", muster.StateUp)
	})
}

func TestSpawnFailure(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.keeper.refuse = func(keeper.Spec) error { return errors.New("no such file") }
		w.apply(order(newType("web")))
		w.wantState("web.1", muster.StateBackoff)
		if got := w.process("web.1").LastExit.Reason; got != "could not be started: no such file" {
			t.Errorf("reason %q", got)
		}
		w.keeper.mu.Lock()
		w.keeper.refuse = nil
		w.keeper.mu.Unlock()
		w.after(time.Minute)
		w.wantState("web.1", muster.StateUp)
	})
}

func TestExitReasons(t *testing.T) {
	cases := []struct {
		code int
		sig  syscall.Signal
		want string
	}{
		{0, 0, "code 0"},
		{1, 0, "code 1"},
		{126, 0, "code 126 (command found, but it can not be executed)"},
		{127, 0, "code 127 (command not found)"},
		{134, 0, "code 134 (aborted; a Node program that ran out of heap ends like this)"},
		{143, 0, "code 143 (a shell's way to say signal TERM)"},
		{255, 0, "code 255"},
		{0, syscall.SIGKILL, "signal KILL (killed from outside)"},
		{0, syscall.SIGABRT, "signal ABRT (aborted; a Node program that ran out of heap ends like this)"},
		{0, syscall.SIGSEGV, "signal SEGV (segmentation fault)"},
		{0, syscall.SIGTERM, "signal TERM"},
	}
	for _, c := range cases {
		t.Run(c.want, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.apply(order(newType("web", restarts(muster.RestartNever))))
				w.end("web.1", c.code, c.sig)
				if got := w.process("web.1").LastExit.String(); got != c.want {
					t.Errorf("got %q, want %q", got, c.want)
				}
			})
		})
	}
}

// starved is a cgroup whose processes always die for lack of memory.
type starved struct{ kills int }

func (c *starved) Group(string, muster.Limits) (string, error) { return "/cgroup/x", nil }
func (c *starved) Remove(string)                               {}
func (c *starved) OOMKills(string) int                         { c.kills++; return c.kills }

func TestOutOfMemory(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.engine.options.Cgroups = &starved{}
		w.apply(order(newType("web", restarts(muster.RestartNever))))
		w.end("web.1", 0, syscall.SIGKILL)
		if got := w.process("web.1").LastExit.Reason; got != "out of memory" {
			t.Errorf("reason %q", got)
		}
	})
}

// The keeper's client delivers exits and replies on one goroutine. When many
// processes end at once, exits come before the reply to a spawn.
func TestAThousandExitsBeforeAReply(t *testing.T) {
	const many = 1000
	inWorld(t, func(t *testing.T, w *world) {
		o := order(newType("web"))
		o.Counts["web"] = many
		w.apply(o)
		inventory, _ := w.keeper.Inventory()
		delivered := make(chan struct{})
		var once sync.Once
		w.keeper.onSpawn = func(keeper.Spec) { // the reply comes after the exits on the wire
			once.Do(func() {
				select {
				case <-delivered:
				case <-time.After(time.Hour):
					t.Error("the exits could not be delivered while a spawn was asked for: in the daemon this is a deadlock")
				}
			})
		}
		go func() {
			for _, p := range inventory.Processes {
				w.keeper.end(p.ID, 1, 0)
			}
			close(delivered)
		}()
		w.after(2 * time.Hour)
	})
}

func TestSettle(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.apply(order(newType("good"), newType("bad"), newType("waits", after("bad", muster.ConditionReady), notifies)))
		stop := make(chan struct{})
		w.keeper.onSpawn = func(s keeper.Spec) {
			if name, _ := slotOfID(s.ID); name.Type == "bad" {
				time.AfterFunc(time.Millisecond, func() { w.keeper.end(s.ID, 3, 0) })
			}
		}
		w.end("bad.1", 3, 0)
		failures, err := w.engine.Settle(context.Background(), func(muster.Slot) bool { return true })
		close(stop)
		if err != nil {
			t.Fatal(err)
		}
		failed := map[string]bool{}
		for _, f := range failures {
			failed[f.Slot.Name()] = true
		}
		if !failed["bad.1"] || failed["good.1"] {
			t.Errorf("failed: %v", failures)
		}
	})
}

func TestKillAllKillsAtOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.keeper.onSignal = func(*fakeProcess, syscall.Signal) {}
		w.apply(order(newType("db"), newType("web", after("db", muster.ConditionStarted))))
		w.engine.KillAll()
		synctest.Wait()
		w.wantState("db.1", muster.StateDown)
		w.wantState("web.1", muster.StateDown)
		if got := w.process("web.1").LastExit; got.Reason == "did not stop within 10s" {
			t.Errorf("it was killed at once, but its reason is %q", got.Reason)
		}
	})
}

func TestEndedIncarnationsAreForgotten(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.apply(order(newType("web")))
		for range 50 {
			w.after(time.Minute)
			w.end("web.1", 1, 0)
		}
		known := 0
		w.engine.do(func() { known = len(w.engine.byID) })
		if known > 2 {
			t.Errorf("%d incarnations of one slot are remembered: every restart costs memory for ever", known)
		}
		if inventory, _ := w.keeper.Inventory(); len(inventory.Processes) != 1 {
			t.Errorf("the keeper holds %d, want 1", len(inventory.Processes))
		}
	})
}

// An exit that is told twice must not end the successor.
func TestAnExitToldTwice(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.apply(order(newType("web")))
		id := w.keeper.living("shop/web.1")[0]
		w.end("web.1", 1, 0)
		w.engine.Exited(keeper.Exit{ID: id, Code: 1, At: time.Now()})
		synctest.Wait()
		if n := len(w.keeper.living("shop/web.1")); n != 1 {
			t.Errorf("%d processes run in one slot", n)
		}
	})
}
