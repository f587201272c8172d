package daemon

import (
	"bytes"
	"context"
	"time"

	"muster"
	"muster/formation"
	"muster/logs"
	"muster/store"
	"muster/supervisor"
)

// Progress is told while a command waits: what is about to change, then each
// event.
type Progress struct {
	Changes []formation.Change `json:"changes,omitempty"`
	Note    string             `json:"note,omitempty"`
	Event   *muster.Event      `json:"event,omitempty"`
}

// A Result is what a command came to.
type Result struct {
	App       string             `json:"app,omitempty"`
	Changes   []formation.Change `json:"changes,omitempty"`
	Processes []muster.Process   `json:"processes"`
	Failures  []Failure          `json:"failures,omitempty"`
}

// A Failure is a process that did not become what was asked, with its last
// words.
type Failure struct {
	supervisor.Failure
	Log []string `json:"log,omitempty"`
}

// lastWords is how many log lines explain a failure.
const lastWords = 10

// await waits until a selection has settled, telling the events of its apps
// meanwhile.
func (d *Daemon) await(ctx context.Context, sel Selection, from int64, tell func(Progress)) (Result, error) {
	follow, stop := context.WithCancel(ctx)
	told := make(chan struct{})
	go func() {
		defer close(told)
		d.tellEvents(follow, sel, from, tell)
	}()
	failures, err := d.engine.Settle(ctx, sel.Match)
	d.journal.Sync(ctx)
	stop()
	<-told
	if err != nil {
		return Result{}, err
	}
	result := Result{Processes: d.processes(sel)}
	for _, f := range failures {
		result.Failures = append(result.Failures, Failure{f, d.lastLines(f.Slot, f.Since, lastWords)})
	}
	return result, nil
}

// tellEvents passes events on until ctx ends, and then what had happened by
// that moment.
func (d *Daemon) tellEvents(ctx context.Context, sel Selection, after int64, tell func(Progress)) {
	apps := map[string]bool{}
	for _, name := range sel.Apps() {
		apps[name] = true
	}
	for {
		stored, changed := d.journal.Stored()
		if stored > after {
			batch, err := d.store.Events(store.EventQuery{After: after})
			if err != nil {
				return
			}
			for _, e := range batch {
				if apps[e.App] {
					tell(Progress{Event: &e})
				}
				after = e.ID
			}
			pause(ctx, tellEvery) // not one by one
			continue
		}
		select {
		case <-ctx.Done():
			if stored, _ := d.journal.Stored(); stored <= after {
				return
			}
		case <-changed:
		}
	}
}

// tellEvery is how often progress is told, at most.
const tellEvery = 20 * time.Millisecond

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// now is the ID after which an operation's events begin.
func (d *Daemon) now() int64 {
	id, _ := d.journal.Stored()
	return id
}

func (d *Daemon) lastLines(slot muster.Slot, since time.Time, n int) (lines []string) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	q := slotQuery(slot, n)
	q.Since = since
	_ = d.logs.Read(ctx, q, func(e logs.Entry) error {
		lines = append(lines, string(e.Text))
		return nil
	})
	return lines
}

// followLines is what "log" probes read: the slot's lines since a moment.
func (d *Daemon) followLines(ctx context.Context, slot muster.Slot, since time.Time) <-chan []byte {
	lines := make(chan []byte)
	go func() {
		defer close(lines)
		q := slotQuery(slot, -1)
		q.Since = since
		_ = d.logs.Follow(ctx, q, func(e logs.Entry) error {
			select {
			case lines <- bytes.Clone(e.Text):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	return lines
}

func slotQuery(slot muster.Slot, last int) logs.Query {
	return logs.Query{App: slot.App, Match: func(s muster.Slot) bool { return s == slot }, Last: last}
}
