package daemon

import (
	"context"
	"runtime"

	"muster/supervisor/notify"
)

// listenNotify takes over the socket processes send sd_notify messages to, or
// makes it. Elsewhere than on Linux there is none.
func (d *Daemon) listenNotify() (*notify.Socket, error) {
	if runtime.GOOS != "linux" {
		return nil, nil
	}
	if file, err := d.keeper.Fetch(notifySocketName); err == nil {
		defer file.Close()
		return notify.FromFile(file)
	}
	socket, err := notify.Listen(d.Home.NotifySocket())
	if err != nil {
		return nil, err
	}
	file, err := socket.File()
	if err == nil {
		err = d.keeper.Keep(notifySocketName, file)
		file.Close()
	}
	if err != nil {
		socket.Close()
		return nil, err
	}
	return socket, nil
}

// readNotify passes READY=1 on to the process it came from.
func (d *Daemon) readNotify(ctx context.Context, socket *notify.Socket) {
	if socket == nil {
		return
	}
	stop := context.AfterFunc(ctx, func() { socket.Close() })
	defer stop()
	socket.Read(func(pid int) {
		if slot, ok := notify.SlotOf(pid, d.keeperPID); ok {
			d.engine.Notify(slot)
		}
	})
}
