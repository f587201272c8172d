// Package dev runs an app in the foreground: the keeper and the supervisor of a
// server, in one process, with nothing on disk and the terminal for a log.
package dev

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"

	"muster"
	"muster/filewatch"
	"muster/formation"
	"muster/keeper"
	"muster/supervisor"
	"muster/supervisor/notify"
)

// Options say what to run and how to show it.
type Options struct {
	App         *muster.App
	Counts      map[string]int
	Environment muster.Env // the shell's
	// Restart keeps processes protected as on a server. Otherwise the first
	// one that ends ends all, as foreman does.
	Restart  bool
	Watch    bool   // restart what changes, whatever the manifest says
	Terminal string // the process type that is given the terminal
	Color    bool
	Times    bool
	Stdout   io.Writer
	Stderr   io.Writer
}

// A runner is one `muster dev`.
type runner struct {
	options Options
	printer *printer
	engine  *supervisor.Supervisor
	events  *queue
	tasks   sync.WaitGroup

	notify *notify.Socket // nil if no probe needs it

	mu    sync.Mutex // guards heard
	heard map[string]*ears

	stopping bool
	code     int
}

// Run runs the app until a person or a process ends it, and returns the exit
// code: 0 when a person did, else that of the first process that failed.
func Run(ctx context.Context, o Options) (code int, err error) {
	r := &runner{options: o, events: newQueue(), heard: map[string]*ears{}}
	r.printer = &printer{out: o.Stdout, color: o.Color, times: o.Times, width: width(o), lost: r.unheard}
	stopFork := make(chan struct{})
	k := keeper.New(keeper.Options{Subreaper: true, Sink: r.sink, Exited: func(e keeper.Exit) { r.engine.Exited(e) }})
	so, err := r.engineOptions(k)
	if err != nil {
		return 1, err
	}
	r.engine = supervisor.New(so)
	var running sync.WaitGroup
	running.Go(func() { k.Run(stopFork) })
	engineCtx, stopEngine := context.WithCancel(context.Background())
	running.Go(func() { r.engine.Run(engineCtx) })
	defer func() {
		k.SweepStrays(0)
		stopEngine()
		close(stopFork)
		running.Wait()
	}()
	return r.run(ctx), nil
}

func (r *runner) engineOptions(k *keeper.Keeper) (supervisor.Options, error) {
	so := supervisor.Options{
		Keeper: k, Emit: r.events.push, Lines: r.lines,
		TerminalType: r.options.Terminal, Terminal: []*os.File{os.Stdin, os.Stdout, os.Stderr},
	}
	for _, t := range r.options.App.Types {
		if t.Ready != nil && t.Ready.Kind == muster.ProbeNotify {
			return so, r.listenNotify(&so)
		}
	}
	return so, nil
}

// width is that of the longest process name, and at least foreman's six.
func width(o Options) int {
	w := len("muster")
	for _, t := range o.App.Types {
		if n := o.Counts[t.Name]; n > 0 {
			w = max(w, len(muster.Slot{Type: t.Name, N: n}.Name()))
		}
	}
	return w
}

// run is the main loop: what a person asks, and what processes do.
func (r *runner) run(ctx context.Context) int {
	asked := make(chan os.Signal, 4)
	signal.Notify(asked, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer signal.Stop(asked)
	// Caught and not ignored: a process inherits what is ignored.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	if r.options.Terminal != "" {
		// We are in the background while that process has the terminal, and
		// must be able to write there all the same.
		signal.Ignore(syscall.SIGTTOU)
	}
	r.engine.Apply(r.order())
	watchCtx, stopWatching := context.WithCancel(ctx)
	r.watch(watchCtx)
	defer r.tasks.Wait()
	defer r.closeNotify()
	defer stopWatching()
	stopped := make(chan struct{})
	for {
		select {
		case <-r.events.ready:
			for _, e := range r.events.take() {
				r.happened(e, stopped)
			}
		case sig := <-asked:
			r.ask(sig, stopped)
		case <-ctx.Done():
			r.ask(syscall.SIGTERM, stopped)
			ctx = context.Background()
		case <-stopped:
			for _, e := range r.events.take() {
				r.show(e)
			}
			return r.code
		}
	}
}

func (r *runner) order() supervisor.Order {
	a := *r.options.App
	a.Types = append([]muster.ProcessType(nil), a.Types...)
	if !r.options.Restart {
		for i := range a.Types {
			a.Types[i].Restart.Mode = muster.RestartNever
		}
	}
	return supervisor.Order{
		Desired:     formation.Desired{App: &a, Counts: r.options.Counts},
		Environment: supervisor.Environment{Base: r.options.Environment},
		Cause:       "muster dev",
	}
}

// ask stops everything in order; asked again, kills everything at once.
func (r *runner) ask(sig os.Signal, stopped chan struct{}) {
	if r.stopping {
		r.printer.say("killing all processes at once", true)
		r.tasks.Go(r.engine.KillAll)
		return
	}
	r.printer.say(fmt.Sprintf("%s: stopping all processes (again to kill them at once)", nameOf(sig)), false)
	r.stop(stopped)
}

func nameOf(sig os.Signal) string {
	if number, ok := sig.(syscall.Signal); ok {
		return "SIG" + muster.SignalName(number)
	}
	return sig.String()
}

func (r *runner) stop(stopped chan struct{}) {
	r.stopping = true
	r.tasks.Go(func() {
		_ = r.engine.StopAll(context.Background(), "muster dev ends")
		close(stopped)
	})
}

// happened shows an event, and ends everything when a process has ended that
// will not come back.
func (r *runner) happened(e muster.Event, stopped chan struct{}) {
	r.show(e)
	if e.Kind != muster.EventExited || r.stopping || r.options.Restart {
		return
	}
	if e.State != muster.StateDown && e.State != muster.StateCrashed || r.completes(e) {
		return
	}
	r.code = e.Exit.ShellCode(func(name string) int {
		number, _ := muster.SignalNumber(name)
		return int(number)
	})
	r.printer.say(fmt.Sprintf("%s.%d ended: stopping the others", e.Type, e.Slot), r.code != 0)
	r.stop(stopped)
}

// completes reports a process that others wait for to end well: a migration
// before the server.
func (r *runner) completes(e muster.Event) bool {
	if e.Exit.Code != 0 || e.Exit.Signal != "" {
		return false
	}
	for _, t := range r.options.App.Types {
		for _, d := range t.DependsOn {
			if d.Type == e.Type && d.Condition == muster.ConditionCompleted {
				return true
			}
		}
	}
	return false
}

// show prints what a person in front of a terminal wants to know.
func (r *runner) show(e muster.Event) {
	switch e.Kind {
	case muster.EventStarting:
		r.printer.say(e.Message+r.portOf(e), false)
	case muster.EventExited:
		r.printer.say(e.Message, !r.stopping && e.Exit != nil && (e.Exit.Code != 0 || e.Exit.Signal != ""))
	case muster.EventWarning:
		r.printer.say(e.Message, true)
	case muster.EventCrashed:
		if r.options.Restart { // without, the exit has said it all
			r.printer.say(e.Message, true)
		}
	case muster.EventSignalled, muster.EventWaiting:
		r.printer.say(e.Message, false)
	case muster.EventUp:
		if t := r.options.App.Type(e.Type); t != nil && t.Ready != nil {
			r.printer.say(e.Message, false)
		}
	}
}

func (r *runner) portOf(e muster.Event) string {
	for _, s := range r.engine.Processes() {
		if s.Type == e.Type && s.Slot == e.Slot && s.Port > 0 {
			return fmt.Sprintf(", PORT=%d", s.Port)
		}
	}
	return ""
}

func (r *runner) sink(spec keeper.Spec) keeper.Sink {
	name, index := "", 0
	for _, entry := range spec.Mark {
		if _, err := fmt.Sscanf(entry, "MUSTER_PROCESS=%s", &name); err == nil {
			break
		}
	}
	typ, _, _ := muster.ParseSlotName(name)
	for i, t := range r.options.App.Types {
		if t.Name == typ {
			index = i
		}
	}
	return r.listen(name, r.printer.source(name, index))
}

// unheard is told when nobody reads the output any more. The processes are not
// hurt by it.
func (r *runner) unheard(err error) {
	fmt.Fprintf(r.options.Stderr, "muster: nobody reads the output any more (%v); the processes run on, unheard\n", err)
}

// watch restarts types whose files change.
func (r *runner) watch(ctx context.Context) {
	for _, t := range r.options.App.Types {
		if !t.Watch.Enabled && !r.options.Watch || r.options.Counts[t.Name] == 0 {
			continue
		}
		r.tasks.Go(func() {
			err := filewatch.Watch(ctx, filewatch.OptionsOf(t), func(path string) { r.restart(t.Name, path) })
			if err != nil {
				r.printer.say(fmt.Sprintf("%s is not watched: %v", t.Name, err), true)
			}
		})
	}
}

func (r *runner) restart(typ, path string) {
	if rel, err := filepath.Rel(r.options.App.Dir, path); err == nil {
		path = rel
	}
	var slots []muster.Slot
	for _, s := range r.engine.Processes() {
		if s.Type == typ {
			slots = append(slots, s.SlotOf())
		}
	}
	r.printer.say(fmt.Sprintf("%s changed: restarting %s", path, typ), false)
	r.engine.Restart(slots, path+" changed")
}

// A queue takes events from the supervisor without ever making it wait.
type queue struct {
	ready chan struct{}
	mu    sync.Mutex // guards list
	list  []muster.Event
}

func newQueue() *queue { return &queue{ready: make(chan struct{}, 1)} }

func (q *queue) push(e muster.Event) {
	q.mu.Lock()
	q.list = append(q.list, e)
	q.mu.Unlock()
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

func (q *queue) take() []muster.Event {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := q.list
	q.list = nil
	return list
}
