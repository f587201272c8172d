package dev

import (
	"fmt"
	"os"

	"muster/supervisor"
	"muster/supervisor/notify"
)

// listenNotify opens a socket for READY=1, for apps that have such a probe.
func (r *runner) listenNotify(so *supervisor.Options) (err error) {
	name := fmt.Sprintf("@muster/dev-%d", os.Getpid())
	if r.notify, err = notify.Listen(name); err != nil {
		return err
	}
	so.NotifySocket = name
	r.tasks.Go(func() {
		r.notify.Read(func(pid int) {
			if slot, ok := notify.SlotOf(pid, os.Getpid()); ok {
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
}
