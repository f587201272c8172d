package daemon

import (
	"context"
	"path/filepath"
	"sync"

	"muster"
	"muster/filewatch"
	"muster/supervisor"
)

// watches restarts process types whose files change (--watch).
type watches struct {
	daemon *Daemon

	mu      sync.Mutex // guards what follows
	ctx     context.Context
	stops   map[string]context.CancelFunc // by app
	waiting []supervisor.Order            // set before run
	tasks   sync.WaitGroup
}

func newWatches(d *Daemon) *watches {
	return &watches{daemon: d, stops: map[string]context.CancelFunc{}}
}

func (w *watches) run(ctx context.Context) {
	w.mu.Lock()
	w.ctx = ctx
	waiting := w.waiting
	w.waiting = nil
	w.mu.Unlock()
	for _, o := range waiting {
		w.set(o)
	}
	<-ctx.Done()
	w.tasks.Wait()
}

// set watches what an app's types ask for, in place of what was watched.
func (w *watches) set(o supervisor.Order) {
	w.forget(o.App.Name)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ctx == nil {
		w.waiting = append(w.waiting, o)
		return
	}
	if w.ctx.Err() != nil {
		return
	}
	ctx, stop := context.WithCancel(w.ctx)
	w.stops[o.App.Name] = stop
	for _, t := range o.App.Types {
		if t.Watch.Enabled {
			w.tasks.Go(func() { w.watchType(ctx, o.App, t) })
		}
	}
}

func (w *watches) forget(app string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if stop := w.stops[app]; stop != nil {
		stop()
		delete(w.stops, app)
	}
}

func (w *watches) watchType(ctx context.Context, a *muster.App, t muster.ProcessType) {
	err := filewatch.Watch(ctx, filewatch.OptionsOf(t), func(path string) {
		if rel, err := filepath.Rel(a.Dir, path); err == nil {
			path = rel
		}
		w.daemon.restartType(a.Name, t.Name, path+" changed")
	})
	if err != nil {
		w.daemon.sayOf(a.Name, muster.EventWarning, "is not watched for %s: %v", t.Name, err)
	}
}

// restartType restarts the running processes of a type.
func (d *Daemon) restartType(app, typ, cause string) {
	var slots []muster.Slot
	for _, s := range d.engine.Processes() {
		if s.App == app && s.Type == typ && s.State != muster.StateDown {
			slots = append(slots, s.SlotOf())
		}
	}
	d.engine.Restart(slots, cause)
}
