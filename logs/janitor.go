package logs

import (
	"context"
	"errors"
	"time"

	"muster"
)

// tidyEvery is how long a full segment waits to be compressed, at most.
const tidyEvery = time.Minute

// A Janitor compresses and removes segments. The keeper bounds each slot's
// bytes by itself; the janitor knows the bounds over slots, and makes more fit
// within them.
type Janitor struct {
	Store *Store
	// Log returns what a process type wants of its logs. The zero Log keeps
	// everything as it is.
	Log func(app, typ string) muster.Log
	// MaxAge removes segments that were finished so long ago; 0 means never.
	MaxAge time.Duration
	// AppBytes is the most the logs of one app may take on disk; 0 means any.
	AppBytes muster.Bytes
	// Failed is told of what a pass could not do. The next one tries again.
	Failed func(error)
}

// Run tidies every minute until ctx ends.
func (j *Janitor) Run(ctx context.Context) error {
	tick := time.NewTicker(tidyEvery)
	defer tick.Stop()
	for {
		if err := j.Tidy(ctx, time.Now()); err != nil && ctx.Err() == nil && j.Failed != nil {
			j.Failed(err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Tidy makes one pass over all logs: compress, then remove what is still too
// much. What fails for one slot does not keep it from the others.
func (j *Janitor) Tidy(ctx context.Context, now time.Time) error {
	slots, err := j.Store.Slots(Query{})
	apps := map[string]bool{}
	for _, slot := range slots {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		apps[slot.App] = true
		if j.Log(slot.App, slot.Type).Compress {
			err = errors.Join(err, j.Store.Compress(ctx, slot))
		}
	}
	bounds := Retention{AppBytes: j.AppBytes, Log: j.Log}
	if j.MaxAge > 0 {
		bounds.Before = now.Add(-j.MaxAge)
	}
	for app := range apps {
		err = errors.Join(err, j.Store.Retain(app, bounds))
	}
	return err
}
