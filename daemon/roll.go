package daemon

import (
	"context"
	"time"

	"muster"
)

// roll restarts the running processes of a selection one after the other, each
// only once the one before it is up again. It stops at the first that fails,
// so that the rest goes on serving.
func (d *Daemon) roll(ctx context.Context, sel Selection, cause string, tell func(Progress)) (Result, error) {
	ctx, cancel := toTheEnd(ctx)
	defer cancel()
	from := d.now()
	for _, s := range d.engine.Processes() {
		if !sel.Match(s.SlotOf()) || s.PID == 0 || s.Type == "run" {
			continue
		}
		one := Selection{s.SlotOf()}
		d.engine.Restart([]muster.Slot{s.SlotOf()}, cause)
		result, err := d.await(ctx, one, from, tell)
		if err != nil || len(result.Failures) > 0 {
			return result, err
		}
		from = d.now()
	}
	return Result{Processes: d.processes(sel)}, nil
}

// rollLimit bounds a change that is made one process at a time.
const rollLimit = time.Hour

// toTheEnd lets such a change go on when the caller leaves: half of it would
// be worse than either whole.
func toTheEnd(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), rollLimit)
}

// Reload replaces running processes without refusing a connection, as far as
// their sockets allow: a process type that owns its sockets keeps them open
// throughout. One process at a time is replaced, and the first that does not
// become ready ends the reload.
func (d *Daemon) Reload(ctx context.Context, t Target, tell func(Progress)) (Result, error) {
	d.mu.Lock()
	sel, err := d.resolve(t)
	d.mu.Unlock()
	if err != nil {
		return Result{}, err
	}
	ctx, cancel := toTheEnd(ctx)
	defer cancel()
	from := d.now()
	for _, s := range d.engine.Processes() {
		if !sel.Match(s.SlotOf()) || s.PID == 0 || s.Type == "run" {
			continue
		}
		if len(s.Spec.Sockets) == 0 {
			result, err := d.roll(ctx, Selection{s.SlotOf()}, "muster reload", tell)
			if err != nil || len(result.Failures) > 0 {
				return result, err
			}
			from = d.now()
			continue
		}
		failure, err := d.engine.Replace(ctx, s.SlotOf(), "muster reload")
		d.tellUntilNow(sel, from, tell)
		from = d.now()
		if err != nil {
			return Result{}, err
		}
		if failure != nil {
			return Result{Processes: d.processes(sel), Failures: []Failure{{*failure, d.lastLines(s.SlotOf(), failure.Since, lastWords)}}}, nil
		}
	}
	return Result{Processes: d.processes(sel)}, nil
}

// tellUntilNow passes on the events that have been stored by now.
func (d *Daemon) tellUntilNow(sel Selection, from int64, tell func(Progress)) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	d.tellEvents(ctx, sel, from, tell)
}
