// Package daemon is the composition root of the server side, and the policy of
// it: what apps should be is decided here, stored, and handed to the
// supervisor. Everything a face of Muster can do is a method of Daemon.
//
//	daemon.go    the parts and their lives
//	restore.go   from the store and the keeper's inventory to running apps
//	target.go    what a person's "shop/web.1" means
//	apply.go     muster start: a manifest becomes an app
//	change.go    stop, restart, reload, scale, delete, config
//	operation.go waiting for a change to come true, telling its progress
//	observe.go   ps, info, logs, events
//	interact.go  run, attach, send, signal
//	notify.go    sd_notify
//	janitor.go   log retention
//	upgrade.go   becoming another binary
package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"muster"
	"muster/cgroup"
	"muster/events"
	"muster/footprint"
	"muster/home"
	"muster/keeper"
	"muster/logs"
	"muster/metrics"
	"muster/store"
	"muster/supervisor"
)

// A Daemon is Muster's policy for one home.
type Daemon struct {
	Home      home.Home
	startedAt time.Time
	keeper    *keeper.Client
	keeperPID int
	store     *store.Store
	journal   *events.Journal
	logs      *logs.Store
	sampler   metrics.Sampler
	engine    *supervisor.Supervisor
	saver     *saver
	cgroups   *cgroups // nil where there are none
	watches   *watches
	trimmer   *footprint.Trimmer
	stop      context.CancelFunc // ends Run
	tasks     sync.WaitGroup

	mu   sync.Mutex // guards apps; held over a change, not over waiting for it
	apps map[string]*record
}

// A record is all that is desired of an app, as it is stored.
type record struct {
	supervisor.Order
	// Declared is the scale the manifest gave each type when it was last
	// applied: a scale changed by hand stays until the manifest's changes.
	Declared map[string]muster.Scale `json:"declared"`
	// Deleting is set once a delete was asked for: whatever happens meanwhile,
	// the app will be forgotten when its processes have ended.
	Deleting bool `json:"deleting,omitempty"`
}

// Listener names among the keeper's descriptors: they outlive daemons, so a
// command sent while none lives is answered by the next.
const (
	apiSocketName    = "muster:api"
	notifySocketName = "muster:notify"
)

// Open builds a daemon that speaks to the keeper over socket.
func Open(h home.Home, socket *os.File) (d *Daemon, err error) {
	d = &Daemon{Home: h, startedAt: time.Now(), apps: map[string]*record{}, trimmer: footprint.New()}
	d.keeper, err = keeper.Connect(socket, func(e keeper.Exit) { d.engine.Exited(e) }, func() { go d.Shutdown("the keeper was asked to end", nil) })
	if err != nil {
		return nil, err
	}
	if d.store, err = store.Open(string(h)); err != nil {
		return d, err
	}
	warn := func(err error) { slog.Error("write the journal", "error", err) }
	if d.journal, err = events.Open(d.store, warn); err != nil {
		return d, err
	}
	d.logs = logs.Open(h.Logs())
	d.saver = newSaver(d.store)
	d.watches = newWatches(d)
	options := supervisor.Options{
		Keeper: d.keeper, LogRoot: h.Logs(), NotifySocket: h.NotifySocket(),
		Emit: d.happened, Save: d.saver.save, Lines: d.followLines,
	}
	if d.cgroups = findCgroups(h); d.cgroups != nil {
		options.Cgroups = d.cgroups
	}
	d.engine = supervisor.New(options)
	return d, nil
}

// Fatal tells the keeper why this daemon can not work.
func (d *Daemon) Fatal(err error) {
	if d != nil && d.keeper != nil {
		_ = d.keeper.Fatal(err.Error())
	}
}

// Run restores what should run and works until ctx ends, Shutdown is called or
// the keeper is gone. serve answers the API on the listener until its context
// ends.
func (d *Daemon) Run(ctx context.Context, serve func(context.Context, net.Listener) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	d.stop = func() { cancel(errShutdown) }
	engine, stopEngine := context.WithCancel(context.Background())
	var reading sync.WaitGroup
	reading.Go(func() { cancel(d.keeper.Run()) })
	d.background(func() { d.journal.Run(engine) })
	d.background(func() { d.saver.run(engine) })
	d.background(func() { d.engine.Run(engine) })
	err := d.work(ctx, serve)
	stopEngine()
	d.trimmer.Stop()
	d.tasks.Wait() // everything is stored now
	err = errors.Join(err, d.store.Close())
	if errors.Is(context.Cause(ctx), errShutdown) {
		_ = d.keeper.End() // which kills this process last
	}
	d.keeper.Close()
	reading.Wait()
	if cause := context.Cause(ctx); err == nil && !errors.Is(cause, errShutdown) {
		err = cause
	}
	return err
}

var errShutdown = errors.New("shut down")

func (d *Daemon) background(f func()) { d.tasks.Go(f) }

func (d *Daemon) work(ctx context.Context, serve func(context.Context, net.Listener) error) error {
	if err := d.restore(ctx); err != nil {
		return err
	}
	notify, err := d.listenNotify()
	if err != nil {
		return err
	}
	if notify != nil {
		defer notify.Close()
	}
	listener, err := d.listenAPI()
	if err != nil {
		return err
	}
	d.background(func() { d.readNotify(ctx, notify) })
	d.background(func() { d.runJanitor(ctx) })
	d.background(func() { d.watches.run(ctx) })
	if err := d.keeper.Ready(); err != nil {
		return err
	}
	return serve(ctx, listener)
}

// listenAPI takes over the API's listening socket from the keeper, or makes it.
func (d *Daemon) listenAPI() (net.Listener, error) {
	file, err := d.keeper.Fetch(apiSocketName)
	if err != nil {
		file, err = d.makeSocket(apiSocketName, muster.Socket{Network: "unix", Address: d.Home.Socket()})
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	listener, err := net.FileListener(file)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", d.Home.Socket(), err)
	}
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	return listener, nil
}

// makeSocket opens a socket only its owner can connect to. The directory is
// closed to others already; the mode says it again.
func (d *Daemon) makeSocket(name string, socket muster.Socket) (*os.File, error) {
	file, err := supervisor.Listen(socket)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(socket.Address, 0o600); err != nil {
		file.Close()
		return nil, err
	}
	if err := d.keeper.Keep(name, file); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// Shutdown stops all processes in order, then Muster. What should run stays
// stored: the next Muster starts it again. stopped is called when all processes
// have ended; it may be nil.
func (d *Daemon) Shutdown(cause string, stopped func()) {
	d.say(muster.EventDaemon, "Muster stops: "+cause)
	ctx, cancel := context.WithTimeout(context.Background(), d.longestStop()+5*time.Second)
	defer cancel()
	_ = d.engine.StopAll(ctx, "Muster stops")
	if err := d.store.PutMeta(metaKeeper, ""); err != nil {
		slog.Error("store the end", "error", err)
	}
	if d.cgroups != nil {
		d.cgroups.close()
	}
	_ = os.Remove(d.Home.Socket())
	if stopped != nil {
		stopped()
	}
	d.stop()
}

func (d *Daemon) longestStop() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	longest := time.Duration(0)
	for _, r := range d.apps {
		sum := time.Duration(0)
		for _, t := range r.App.Types {
			sum += time.Duration(t.Stop.Timeout)
		}
		longest = max(longest, sum)
	}
	return longest
}

// happened takes an event of the supervisor's.
func (d *Daemon) happened(e muster.Event) {
	d.trimmer.Busy()
	d.journal.Append(e)
}

// Busy says that a request was answered; memory is given back after the last.
func (d *Daemon) Busy() { d.trimmer.Busy() }

// say records an event of Muster's own.
func (d *Daemon) say(kind muster.EventKind, message string) {
	d.journal.Append(muster.Event{Kind: kind, Message: message})
}

func (d *Daemon) sayOf(app string, kind muster.EventKind, format string, args ...any) {
	d.journal.Append(muster.Event{App: app, Kind: kind, Message: app + " " + fmt.Sprintf(format, args...)})
}

func (d *Daemon) put(r *record) error { return d.store.PutApp(r.App.Name, r) }

func decodeRecord(data []byte) (*record, error) {
	r := &record{}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, err
	}
	if r.App == nil {
		return nil, errors.New("no app in it")
	}
	return r, nil
}

// findCgroups returns the control groups to use, or nil where there are none.
// A keeper that isolated itself says where the root is: from below it could
// not be found.
func findCgroups(h home.Home) *cgroups {
	if path := os.Getenv(keeper.CgroupVariable); path != "" {
		if root, err := cgroup.OpenRoot(path); err == nil {
			return newCgroups(root, h)
		}
	}
	root, err := cgroup.Find()
	if err != nil {
		return nil
	}
	return newCgroups(root, h)
}
