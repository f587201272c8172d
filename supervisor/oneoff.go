package supervisor

import (
	"fmt"
	"os"
	"sort"
	"strings"
	"time"

	"muster"
	"muster/formation"
	"muster/keeper"
)

// A oneoff is a process started by `muster run`: in the app's surroundings, on
// the caller's own descriptors, never restarted.
type oneoff struct {
	id      string
	name    muster.Slot
	machine formation.Machine
	command string
	exited  chan muster.Exit // receives once
}

// A OneOff says what to run.
type OneOff struct {
	App      string
	Type     string // whose environment and directory; "" for the app's own
	Command  muster.Command
	Env      muster.Env // over everything else; TERM of the caller
	Terminal bool       // Files[0] is a terminal that becomes the controlling one
	Files    []*os.File // stdin, stdout, stderr
}

// RunOneOff starts a one-off and returns its name, and where its end will be told.
func (s *Supervisor) RunOneOff(o OneOff) (name muster.Slot, exited <-chan muster.Exit, err error) {
	s.do(func() {
		var started *oneoff
		if started, err = s.startOneoff(o); err == nil {
			name, exited = started.name, started.exited
		}
	})
	return name, exited, err
}

func (s *Supervisor) startOneoff(o OneOff) (*oneoff, error) {
	a := s.apps[o.App]
	if a == nil {
		return nil, muster.Errorf(muster.CodeNotFound, "muster start", "there is no app %q", o.App)
	}
	o = a.expand(o)
	s.serial++
	run := &oneoff{
		name:   muster.Slot{App: o.App, Type: "run", N: s.freeRun(o.App)},
		exited: make(chan muster.Exit, 1), command: o.Command.String(),
	}
	run.id = fmt.Sprintf("%s@%d.%d", run.name, time.Now().UnixNano(), s.serial)
	typ, err := a.oneoffType(o)
	if err != nil {
		return nil, err
	}
	surroundings := &slot{supervisor: s, name: run.name, app: a, typ: typ}
	spec := keeper.Spec{
		ID: run.id, Argv: s.argv(o.Command, false), Env: withEnv(surroundings.environ(), o.Env), Dir: typ.Cwd,
		Mark: surroundings.mark(), Files: true, Note: run.command,
	}
	if o.Terminal {
		spec.Session = keeper.SessionTerminal
	}
	if err := setOwner(&spec, typ); err != nil {
		return nil, err
	}
	held, err := s.options.Keeper.Spawn(spec, o.Files)
	if err != nil {
		return nil, muster.Errorf(muster.CodeFailed, "a program on the app's PATH, or a path to one", "run %s: %w", run.command, err)
	}
	s.oneoffStarted(run, held)
	s.emit(run.name, muster.Event{Kind: muster.EventStarting, State: muster.StateUp, PID: held.PID,
		Message: run.name.Name() + " started with pid " + itoa(held.PID) + ": muster run"})
	return run, nil
}

// expand replaces the name of a process type by its command and surroundings;
// what stood after the name is added to it, as Heroku does.
func (a *app) expand(o OneOff) OneOff {
	words := o.Command.Argv
	if len(words) == 0 {
		words = []string{o.Command.Shell}
	}
	t := a.App.Type(words[0])
	if t == nil {
		return o
	}
	o.Type = t.Name
	if len(t.Command.Argv) > 0 {
		o.Command = muster.Command{Argv: append(append([]string{}, t.Command.Argv...), words[1:]...)}
		return o
	}
	line := t.Command.Shell
	for _, word := range words[1:] {
		line += " " + muster.ShellQuote(word)
	}
	o.Command = muster.Command{Shell: line}
	return o
}

func (s *Supervisor) oneoffStarted(run *oneoff, held keeper.Held) {
	run.machine = formation.Machine{State: muster.StateUp, Reason: "muster run " + run.command, Running: true, PID: held.PID, StartedAt: held.StartedAt}
	s.oneoffs[run.id] = run
}

// oneoffType is the process type whose surroundings a one-off has.
func (a *app) oneoffType(o OneOff) (muster.ProcessType, error) {
	if o.Type == "" {
		return muster.ProcessType{Name: "run", Cwd: a.App.Dir, Command: o.Command}, nil
	}
	t := a.App.Type(o.Type)
	if t == nil {
		return muster.ProcessType{}, muster.Errorf(muster.CodeNotFound, "one of "+strings.Join(a.App.TypeNames(), ", "),
			"%s has no process type %q", a.App.Name, o.Type)
	}
	typ := *t
	typ.Command, typ.Sockets = o.Command, nil
	return typ, nil
}

func withEnv(env []string, over muster.Env) []string {
	kept := env[:0]
	for _, entry := range env {
		name, _, _ := strings.Cut(entry, "=")
		if _, replaced := over[name]; !replaced {
			kept = append(kept, entry)
		}
	}
	for name, value := range over {
		kept = append(kept, name+"="+value)
	}
	return kept
}

func (s *Supervisor) freeRun(app string) int {
	used := map[int]bool{}
	for _, o := range s.oneoffs {
		if o.name.App == app {
			used[o.name.N] = true
		}
	}
	n := 1
	for used[n] {
		n++
	}
	return n
}

func (s *Supervisor) oneoffExited(o *oneoff, exit keeper.Exit) {
	surroundings := &slot{supervisor: s, name: o.name, machine: o.machine}
	e := surroundings.explain(exit)
	s.emit(o.name, muster.Event{Kind: muster.EventExited, State: muster.StateDown, Exit: &e,
		Message: o.name.Name() + " exited: " + e.String() + " -> down"})
	id := o.id
	s.background(func() {
		if exit.Left {
			_ = s.options.Keeper.Sweep(id)
		}
		_ = s.options.Keeper.Forget(id)
	})
	delete(s.oneoffs, id)
	o.exited <- e
}

// StopOneoff ends a one-off whose caller is gone.
func (s *Supervisor) StopOneoff(name muster.Slot) {
	s.do(func() {
		for _, o := range s.oneoffs {
			if o.name == name {
				id := o.id
				s.background(func() { _ = s.options.Keeper.Sweep(id) })
			}
		}
	})
}

func (s *Supervisor) sortedOneoffs() []*oneoff {
	var list []*oneoff
	for _, o := range s.oneoffs {
		list = append(list, o)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].name.String() < list[j].name.String() })
	return list
}

func (o *oneoff) status() Status { return Status{Process: processOf(o.name, o.machine), ID: o.id} }
