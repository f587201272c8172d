package dev

import (
	"os"
	"path/filepath"

	"muster/supervisor"
	"muster/supervisor/notify"
)

// listenNotify opens a socket for READY=1 in a directory of its own, for apps
// that have such a probe.
func (r *runner) listenNotify(so *supervisor.Options) error {
	dir, err := os.MkdirTemp("", "muster-dev-")
	if err != nil {
		return err
	}
	r.notifyDir = dir
	so.NotifySocket = filepath.Join(dir, "notify.sock")
	if r.notify, err = notify.Listen(so.NotifySocket); err != nil {
		r.closeNotify()
		return err
	}
	r.tasks.Go(func() {
		r.notify.Read(func(pid int) {
			if slot, ok := notify.SlotOf(pid); ok {
				r.engine.Notify(slot)
			}
		})
	})
	return nil
}

func (r *runner) closeNotify() {
	if r.notify != nil {
		r.notify.Close()
	}
	if r.notifyDir != "" {
		_ = os.RemoveAll(r.notifyDir)
	}
}
