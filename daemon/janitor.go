package daemon

import (
	"context"
	"log/slog"
	"time"

	"muster"
	"muster/logs"
)

// Bounds of an app's logs on disk over all its slots, whatever its process
// types say: a scaled-out app must not fill the disk either.
const (
	appLogBytes = 1 << 30
	appLogAge   = 30 * 24 * time.Hour
)

func (d *Daemon) runJanitor(ctx context.Context) {
	janitor := logs.Janitor{
		Store: d.logs, Log: d.logPolicy, AppBytes: appLogBytes, MaxAge: appLogAge,
		Failed: func(err error) { slog.Error("tidy logs", "error", err) },
	}
	_ = janitor.Run(ctx)
}

func (d *Daemon) logPolicy(app, typ string) muster.Log {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r := d.apps[app]; r != nil {
		if t := r.App.Type(typ); t != nil {
			return t.Log
		}
	}
	return muster.Log{Compress: app != "muster"}
}
