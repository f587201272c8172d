package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"syscall"
	"time"

	"muster"
	"muster/proctree"
	"muster/supervisor"
)

// metaKeeper stores which keeper the slots' records belong to.
const metaKeeper = "keeper"

// restore brings back what the store says should run, around what the keeper
// still holds.
func (d *Daemon) restore(ctx context.Context) error {
	inventory, err := d.keeper.Inventory()
	if err != nil {
		return err
	}
	d.keeperPID = inventory.PID
	orders, err := d.loadApps()
	if err != nil {
		return err
	}
	records, err := d.loadSlots()
	if err != nil {
		return err
	}
	identity := inventory.StartedAt.Format(time.RFC3339Nano)
	before, err := d.store.Meta(metaKeeper)
	if err != nil {
		return err
	}
	if before != identity {
		d.sweepLeftovers()
	}
	adopted := d.engine.Adopt(inventory, orders, records, before == identity)
	if err := d.store.PutMeta(metaKeeper, identity); err != nil {
		return err
	}
	d.say(muster.EventDaemon, restoredMessage(before == identity, adopted, len(orders)))
	for _, o := range orders {
		o.Cause = "Muster was started"
		d.engine.Apply(o)
		if d.apps[o.App.Name].Deleting {
			d.background(func() { d.finishDelete(ctx, o.App.Name) })
			continue
		}
		d.watches.set(o)
	}
	return nil
}

func restoredMessage(again bool, adopted, apps int) string {
	pid := os.Getpid()
	if again {
		return fmt.Sprintf("the daemon was started again (pid %d) and took over %d processes of %d apps", pid, adopted, apps)
	}
	return fmt.Sprintf("Muster %s was started (daemon pid %d) and restores %d apps", muster.Version, pid, apps)
}

func (d *Daemon) loadApps() (orders []supervisor.Order, err error) {
	err = d.store.Apps(func(name string, data []byte) error {
		r, err := decodeRecord(data)
		if err != nil {
			return fmt.Errorf("app %s in the database: %w", name, err)
		}
		d.apps[name] = r
		orders = append(orders, r.Order)
		return nil
	})
	return orders, err
}

func (d *Daemon) loadSlots() (records []supervisor.Record, err error) {
	err = d.store.Slots(func(data []byte) error {
		var r supervisor.Record
		if err := json.Unmarshal(data, &r); err != nil {
			slog.Error("a slot's record is unreadable and left out", "error", err)
			return nil
		}
		records = append(records, r)
		return nil
	})
	return records, err
}

// sweepLeftovers ends what daemonized itself away from a Muster that died:
// with no keeper left, nobody else can. Such processes are known by this
// home's notify socket in their environment.
func (d *Daemon) sweepLeftovers() {
	if d.cgroups != nil {
		d.cgroups.sweep()
	}
	said := map[int]bool{}
	for range leftoverRounds {
		if d.killLeftovers(said) == 0 {
			return
		}
		time.Sleep(leftoverPause)
	}
}

// What is killed may fork meanwhile, and takes a moment to let go of its port.
const (
	leftoverRounds = 100
	leftoverPause  = 10 * time.Millisecond
)

// killLeftovers kills what is there now, says so once for each, and returns how
// many there were.
func (d *Daemon) killLeftovers(said map[int]bool) (n int) {
	mark := "NOTIFY_SOCKET=" + d.Home.NotifySocket()
	snapshot, err := proctree.Scan()
	if err != nil {
		return 0
	}
	mine := map[int]bool{}
	for _, p := range snapshot.Descendants(d.keeperPID) {
		mine[p.PID] = true
	}
	for _, p := range snapshot.All() {
		if mine[p.PID] || p.State == 'Z' || !proctree.HasEnv(p.PID, mark) {
			continue
		}
		if !said[p.PID] {
			d.say(muster.EventWarning, fmt.Sprintf("process %d (%s) was left by a Muster that died, and is killed", p.PID, p.Comm))
			said[p.PID] = true
		}
		killProven(p)
		n++
	}
	return n
}

func killProven(p proctree.Proc) {
	process, err := os.FindProcess(p.PID)
	if err != nil {
		return
	}
	defer process.Release()
	if now, ok := proctree.Stat(p.PID); ok && now.Start == p.Start {
		_ = process.Signal(syscall.SIGKILL)
	}
}
