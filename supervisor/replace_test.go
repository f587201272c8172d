package supervisor

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"muster"
	"muster/keeper"
)

func withSocket(t *muster.ProcessType) {
	t.Sockets = []muster.Socket{{Name: "http", Network: "tcp", Address: "127.0.0.1:0"}}
}

// replaced is what Replace returned.
type replaced struct {
	failure *Failure
	err     error
}

// replace begins to replace web.1; the answer comes on the channel.
func (w *world) replace(ctx context.Context) <-chan replaced {
	answer := make(chan replaced, 1)
	go func() {
		failure, err := w.engine.Replace(ctx, slotNamed("web.1"), "muster reload")
		answer <- replaced{failure, err}
	}()
	synctest.Wait()
	return answer
}

func TestReplaceSucceeds(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.apply(order(newType("web", withSocket)))
		before := w.process("web.1")
		got := <-w.replace(t.Context())
		if got.err != nil || got.failure != nil {
			t.Fatalf("%+v", got)
		}
		w.after(time.Second)
		if p := w.process("web.1"); p.PID == before.PID || p.State != muster.StateUp {
			t.Errorf("web.1 has pid %d (%s)", p.PID, p.State)
		}
		if n := len(w.keeper.living("shop/web.1")); n != 1 {
			t.Errorf("%d processes run, want 1", n)
		}
		w.end("web.1", 1, 0)
		w.wantState("web.1", muster.StateUp) // its own policy counts again
	})
}

func TestReplaceFailsAndTheOldProcessStays(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.apply(order(newType("web", withSocket)))
		pid := w.process("web.1").PID
		w.keeper.onSpawn = func(s keeper.Spec) {
			time.AfterFunc(10*time.Millisecond, func() { w.keeper.end(s.ID, 1, 0) })
		}
		got := <-w.replace(t.Context())
		if got.err != nil || got.failure == nil {
			t.Fatalf("%+v", got)
		}
		w.after(time.Minute)
		if p := w.process("web.1"); p.PID != pid || p.State != muster.StateUp {
			t.Errorf("web.1 has pid %d (%s), want %d", p.PID, p.State, pid)
		}
		if n := w.keeper.spawns("shop/web.1"); n != 2 {
			t.Errorf("%d spawns, want 2: a failed replacement is not restarted", n)
		}
	})
}

// READY=1 comes with the slot's name: while two processes have it, the one that
// waits for it must hear it.
func TestReplaceHearsTheSuccessorsNotification(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.apply(order(newType("web", withSocket, notifies)))
		w.engine.Notify(slotNamed("web.1"))
		w.wantState("web.1", muster.StateUp)
		answer := w.replace(t.Context())
		w.engine.Notify(slotNamed("web.1"))
		got := <-answer
		if got.err != nil || got.failure != nil {
			t.Fatalf("the replacement said READY=1, but: %+v", got.failure)
		}
	})
}

func TestStopDuringReplaceStopsBoth(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		o := order(newType("web", withSocket, notifies))
		w.apply(o)
		w.engine.Notify(slotNamed("web.1"))
		synctest.Wait()
		answer := w.replace(t.Context())
		o.Stopped = []string{"web.1"}
		w.apply(o)
		w.engine.do(func() { // the successor becomes ready, however it is told
			for _, l := range w.engine.byID {
				select {
				case l.notified <- struct{}{}:
				default:
				}
			}
		})
		<-answer
		w.after(time.Minute)
		if n := len(w.keeper.living("shop/web.1")); n != 0 {
			t.Errorf("%d processes run on in a stopped slot", n)
		}
	})
}

func TestReplaceNeedsARunningProcess(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.apply(order(newType("web")))
		if _, err := w.engine.Replace(t.Context(), slotNamed("web.9"), ""); muster.AsError(err).Code != muster.CodeNotFound {
			t.Errorf("err = %v", err)
		}
	})
}

func TestReplaceEndsWithItsContext(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.apply(order(newType("web", withSocket, notifies)))
		w.engine.Notify(slotNamed("web.1"))
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		answer := w.replace(ctx)
		cancel()
		if got := <-answer; got.err == nil {
			t.Error("no error")
		}
		w.after(time.Minute)
		if n := len(w.keeper.living("shop/web.1")); n != 1 {
			t.Errorf("%d processes run, want the old one", n)
		}
	})
}
