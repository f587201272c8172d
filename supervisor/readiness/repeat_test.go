package readiness_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"muster"
	"muster/supervisor/readiness"
)

var execProbe = muster.Probe{Kind: muster.ProbeExec, Command: muster.Command{Shell: "bin/check"}}

// runner answers every question with the exit code that answer returns.
func runner(answer func() int) readiness.Target {
	return readiness.Target{Run: func(context.Context, muster.Command) (int, error) { return answer(), nil }}
}

func TestFirstQuestionIsAskedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		err := readiness.Wait(t.Context(), execProbe, runner(func() int { return 0 }))
		if took := time.Since(began); err != nil || took != 0 {
			t.Errorf("ready after %v, %v", took, err)
		}
	})
}

func TestPausesGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var asked []time.Time
		_ = readiness.Wait(ctx, execProbe, runner(func() int {
			asked = append(asked, time.Now())
			return 1
		}))
		last := len(asked) - 1
		if first := asked[1].Sub(asked[0]); first != 10*time.Millisecond {
			t.Errorf("the first pause is %v", first)
		}
		for i := 2; i <= last; i++ {
			if asked[i].Sub(asked[i-1]) < asked[i-1].Sub(asked[i-2]) {
				t.Fatalf("pause %d is shorter than the one before", i)
			}
		}
		if longest := asked[last].Sub(asked[last-1]); longest != 250*time.Millisecond {
			t.Errorf("the longest pause is %v", longest)
		}
	})
}

// Whenever a process becomes ready, it is known soon after, measured by the
// time it took.
func TestReadinessIsNoticedSoon(t *testing.T) {
	for _, after := range []time.Duration{time.Millisecond, 90 * time.Millisecond, 700 * time.Millisecond, 20 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			err := readiness.Wait(t.Context(), execProbe, runner(func() int {
				if time.Since(began) < after {
					return 1
				}
				return 0
			}))
			late := time.Since(began) - after
			if err != nil || late > min(10*time.Millisecond+after/4, 250*time.Millisecond) {
				t.Errorf("ready after %v is noticed %v late, %v", after, late, err)
			}
		})
	}
}

func TestExecComplaints(t *testing.T) {
	hang := func(ctx context.Context, _ muster.Command) (int, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	for _, tt := range []struct {
		name string
		run  func(context.Context, muster.Command) (int, error)
		want string
	}{
		{"code", func(context.Context, muster.Command) (int, error) { return 3, nil }, "bin/check ended with code 3"},
		{"error", func(context.Context, muster.Command) (int, error) { return 0, errors.New("no such user") }, "run bin/check: no such user"},
		{"hang", hang, "bin/check did not end in time"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
				defer cancel()
				err := readiness.Wait(ctx, execProbe, readiness.Target{Run: tt.run})
				if err == nil || err.Error() != tt.want || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Wait: %v, want %q and the deadline", err, tt.want)
				}
				if err := readiness.Check(t.Context(), execProbe, readiness.Target{Run: tt.run}); err == nil || err.Error() != tt.want {
					t.Errorf("Check: %v, want %q", err, tt.want)
				}
			})
		})
	}
}

func TestCheckKeepsToTheProbesTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := execProbe
		p.Timeout = muster.Duration(time.Second)
		began := time.Now()
		err := readiness.Check(t.Context(), p, readiness.Target{Run: func(ctx context.Context, _ muster.Command) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		}})
		if took := time.Since(began); err == nil || took != time.Second {
			t.Errorf("given up after %v, %v", took, err)
		}
	})
}

func TestCancelledWaitReturnsTheCause(t *testing.T) {
	exited := errors.New("the process exited")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(exited)
	notified := make(chan struct{})
	for _, p := range []muster.Probe{execProbe, {Kind: muster.ProbeNotify}, {Kind: muster.ProbeLog}} {
		target := runner(func() int { return 1 })
		target.Notified = notified
		if err := readiness.Wait(ctx, p, target); err != exited {
			t.Errorf("%s: %v", p.Kind, err)
		}
	}
}

func TestMistakesInProbesAreNotWaitedFor(t *testing.T) {
	for _, p := range []muster.Probe{
		{Kind: muster.ProbeListening},
		{Kind: muster.ProbeHTTP},
		{Kind: muster.ProbeTCP},
		{Kind: muster.ProbeExec},
		{Kind: "smoke", Port: 1},
		{Kind: muster.ProbeLog, Pattern: "("},
	} {
		err := readiness.Wait(t.Context(), p, runner(func() int { return 0 }))
		var e *muster.Error
		if !errors.As(err, &e) || e.Code != muster.CodeInvalid {
			t.Errorf("%+v: %v", p, err)
		}
	}
}
