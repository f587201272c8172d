package daemon

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"muster"
	"muster/formation"
	"muster/supervisor"
)

// A StartRequest makes what a manifest says the truth.
type StartRequest struct {
	App *muster.App `json:"app"`
	// Environment is the caller's shell's, without what belongs to its session.
	Environment muster.Env `json:"environment"`
	// Scale replaces the manifest's scale (-i).
	Scale  map[string]int `json:"scale,omitempty"`
	DryRun bool           `json:"dry_run,omitempty"`
}

// Start applies a manifest and waits until the formation is up or has failed.
func (d *Daemon) Start(ctx context.Context, req StartRequest, tell func(Progress)) (Result, error) {
	if err := validate(req.App); err != nil {
		return Result{}, err
	}
	d.mu.Lock()
	plan, err := d.plan(req)
	if err != nil || req.DryRun {
		d.mu.Unlock()
		return Result{App: req.App.Name, Changes: plan.changes, Processes: []muster.Process{}}, err
	}
	from := d.now()
	if err = d.put(plan.record); err == nil {
		d.apps[req.App.Name] = plan.record
		d.sayOf(req.App.Name, muster.EventApplied, "was started from %s: %s", req.App.Source, summary(plan.changes))
		d.engine.Apply(plan.record.Order)
		d.engine.Restart(plan.crashed, "muster start")
		d.watches.set(plan.record.Order)
	}
	d.mu.Unlock()
	if err != nil {
		return Result{}, err
	}
	tell(Progress{Changes: plan.changes, Note: plan.note})
	result, err := d.await(ctx, Selection{{App: req.App.Name}}, from, tell)
	result.App, result.Changes = req.App.Name, plan.changes
	return result, err
}

// validate refuses what only a broken caller sends: manifests are checked where
// they are read, with their positions.
func validate(a *muster.App) error {
	switch {
	case a == nil || !muster.ValidAppName(a.Name):
		return muster.Errorf(muster.CodeInvalid, "letters, digits, - and _, at most 63; --name chooses one", "the app has no valid name")
	case len(a.Types) == 0:
		return muster.Errorf(muster.CodeInvalid, "", "app %s has no process types", a.Name)
	}
	for _, t := range a.Types {
		if !muster.ValidTypeName(t.Name) || t.Command.IsZero() {
			return muster.Errorf(muster.CodeInvalid, "", "app %s: process type %q has no valid name or no command", a.Name, t.Name)
		}
		if err := supervisor.CheckOwner(t); err != nil {
			return err
		}
	}
	return nil
}

// A startPlan is what a start would do.
type startPlan struct {
	record  *record
	changes []formation.Change
	crashed []muster.Slot // to be tried again
	note    string
}

// plan compares what should be with what is. The caller holds mu.
func (d *Daemon) plan(req StartRequest) (startPlan, error) {
	old := d.apps[req.App.Name]
	if old != nil && old.App.Dir != req.App.Dir {
		return startPlan{}, muster.Errorf(muster.CodeConflict, fmt.Sprintf("--name for another name, or: muster delete %s", req.App.Name),
			"there is an app %s already, in %s", req.App.Name, old.App.Dir)
	}
	r := &record{Declared: map[string]muster.Scale{}}
	r.App, r.Cause = req.App, "muster start"
	r.Counts = counts(req, old)
	r.Environment = supervisor.Environment{Base: req.Environment, Config: muster.Env{}}
	before := formation.Desired{}
	if old != nil {
		before = old.Desired
		r.Environment.Config = old.Environment.Config
	}
	for _, t := range req.App.Types {
		r.Declared[t.Name] = t.Scale
	}
	d.choosePort(r, old)
	p := startPlan{record: r, changes: formation.Diff(before, r.Desired)}
	r.Replace = replaced(p.changes)
	p.crashed = d.announceRestarts(old, p.changes)
	if old != nil {
		p.note = environmentNote(old.Environment.Base, req.Environment, p.changes)
	}
	return p, nil
}

func replaced(changes []formation.Change) (names []string) {
	for _, c := range changes {
		if c.Kind == formation.ChangeReplace {
			names = append(names, c.Type)
		}
	}
	return names
}

// announceRestarts shows types as changed whose processes were stopped or fail
// again and again, for a start means that they should run; it returns those that
// fail, to be tried at once and with their past forgiven.
// A process that has done its work stays down.
func (d *Daemon) announceRestarts(old *record, changes []formation.Change) (crashed []muster.Slot) {
	if old == nil {
		return nil
	}
	down := map[string]int{}
	for _, s := range d.engine.Processes() {
		switch {
		case s.App != old.App.Name:
		case s.State == muster.StateCrashed, s.State == muster.StateBackoff: // mended, perhaps
			crashed = append(crashed, s.SlotOf())
			down[s.Type]++
		case slices.Contains(old.Stopped, s.Name):
			down[s.Type]++
		}
	}
	for i, c := range changes {
		if c.Kind == formation.ChangeNone && down[c.Type] > 0 && c.To > 0 {
			changes[i].Kind, changes[i].From = formation.ChangeScale, max(0, c.To-down[c.Type])
		}
	}
	return crashed
}

// counts decides how many of each type: -i, else a scale changed by hand for
// as long as the manifest's does not change, else the manifest's.
func counts(req StartRequest, old *record) map[string]int {
	n := map[string]int{}
	for _, t := range req.App.Types {
		switch asked, ok := req.Scale[t.Name]; {
		case t.OneShot():
			continue
		case ok:
			n[t.Name] = asked
		case old != nil && old.App.Type(t.Name) != nil && old.Declared[t.Name] == t.Scale:
			n[t.Name] = old.Counts[t.Name]
		default:
			n[t.Name] = t.Scale.Count()
		}
	}
	return n
}

// choosePort keeps an app's port base for life, and finds a free one for a new
// app that names none.
func (d *Daemon) choosePort(r, old *record) {
	switch {
	case r.App.PortBase != 0:
	case old != nil && old.App.PortBase != 0:
		r.App.PortBase = old.App.PortBase
	default:
		var others []int
		for _, other := range d.apps {
			others = append(others, other.App.PortBase)
		}
		r.App.PortBase = supervisor.ChoosePortBase(r.App, r.Counts, others)
	}
}

// environmentNote says which of the shell's variables differ from those the
// running processes were started with.
func environmentNote(old, new muster.Env, changes []formation.Change) string {
	var names []string
	for name, value := range new {
		if was, ok := old[name]; !ok || was != value {
			names = append(names, name)
		}
	}
	for name := range old {
		if _, ok := new[name]; !ok {
			names = append(names, name)
		}
	}
	untouched := 0
	for _, c := range changes {
		if c.Kind == formation.ChangeNone {
			untouched++
		}
	}
	if len(names) == 0 || untouched == 0 {
		return ""
	}
	sort.Strings(names)
	return fmt.Sprintf("your shell's environment differs (%s); unchanged processes keep the one they have until muster restart", strings.Join(names, ", "))
}

func summary(changes []formation.Change) string {
	var parts []string
	for _, c := range changes {
		parts = append(parts, c.String())
	}
	return strings.Join(parts, "; ")
}

// clone returns a copy of a record that can be changed without being seen.
func (r *record) clone() *record {
	c := *r
	c.Counts = maps.Clone(r.Counts)
	c.Environment.Config = maps.Clone(r.Environment.Config)
	c.Stopped = append([]string(nil), r.Stopped...)
	c.Replace = nil
	return &c
}
