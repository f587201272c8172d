package readiness

import (
	"context"
	"errors"
	"time"
)

const (
	firstPause = 10 * time.Millisecond
	lastPause  = 250 * time.Millisecond
)

// repeat asks until there is nothing to complain about. The pause grows by a
// quarter each time, so that readiness is noticed late by at most a quarter of
// the time it took, and by no more than lastPause.
func repeat(ctx context.Context, ask func() error) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	complaint := errors.New("it was not asked")
	for pause := firstPause; ; pause = min(pause+pause/4, lastPause) {
		select {
		case <-ctx.Done():
			return gaveUp(ctx, complaint)
		case <-timer.C:
		}
		asked := time.Now()
		err := ask()
		if err == nil {
			return nil
		}
		// A question that ctx cut short says less than the one before it,
		// unless it has hung.
		if ctx.Err() == nil || pause == firstPause || time.Since(asked) > lastPause {
			complaint = err
		}
		timer.Reset(pause)
	}
}

// gaveUp is what Wait returns when ctx is done: the complaint when time ran
// out, the cause when nobody wants to know any more.
func gaveUp(ctx context.Context, complaint error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return context.Cause(ctx)
	}
	return &missing{what: complaint.Error(), cause: context.Cause(ctx)}
}
