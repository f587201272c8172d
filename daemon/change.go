package daemon

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"

	"muster"
	"muster/formation"
	"muster/supervisor"
)

// change edits an app's order: stored first, then carried out. The caller
// holds mu.
func (d *Daemon) change(app, cause string, edit func(*record)) error {
	r := d.apps[app].clone()
	edit(r)
	r.Cause = cause
	if err := d.put(r); err != nil {
		return err
	}
	d.apps[app] = r
	d.engine.Apply(r.Order)
	return nil
}

// changeSelected edits the order of every selected app, then waits.
func (d *Daemon) changeSelected(ctx context.Context, t Target, cause string, tell func(Progress), edit func(*record, Selection)) (Result, error) {
	d.mu.Lock()
	sel, err := d.resolve(t)
	from := d.now()
	for _, app := range sel.Apps() {
		if err == nil {
			err = d.change(app, cause, func(r *record) { edit(r, sel) })
		}
	}
	d.mu.Unlock()
	if err != nil {
		return Result{}, err
	}
	return d.await(ctx, sel, from, tell)
}

// Stop stops processes and keeps them down, also after a reboot.
func (d *Daemon) Stop(ctx context.Context, t Target, tell func(Progress)) (Result, error) {
	result, err := d.changeSelected(ctx, t, "muster stop", tell, func(r *record, sel Selection) {
		r.Stopped = slotNames(r, sel, r.Stopped)
	})
	for _, p := range result.Processes { // somebody wanted it to run meanwhile
		if p.Type != "run" && p.State != muster.StateDown && p.State != muster.StateCrashed {
			failure := supervisor.Failure{Slot: p.SlotOf(), Reason: "it is " + string(p.State) + " again: " + p.Reason}
			result.Failures = append(result.Failures, Failure{Failure: failure})
		}
	}
	return result, err
}

// StartTarget starts what was stopped or has crashed, as it is.
func (d *Daemon) StartTarget(ctx context.Context, t Target, tell func(Progress)) (Result, error) {
	return d.restartSelected(ctx, t, "muster start", tell, func(state muster.State) bool {
		return state == muster.StateCrashed || state == muster.StateBackoff
	})
}

// Restart stops processes and starts them again, in place, with the present
// environment. What was stopped starts too.
func (d *Daemon) Restart(ctx context.Context, t Target, tell func(Progress)) (Result, error) {
	return d.restartSelected(ctx, t, "muster restart", tell, func(muster.State) bool { return true })
}

func (d *Daemon) restartSelected(ctx context.Context, t Target, cause string, tell func(Progress), which func(muster.State) bool) (Result, error) {
	d.mu.Lock()
	sel, err := d.resolve(t)
	from := d.now()
	var again []muster.Slot
	if err == nil {
		for _, s := range d.engine.Processes() {
			if sel.Match(s.SlotOf()) && s.State != muster.StateDown && which(s.State) {
				again = append(again, s.SlotOf())
			}
		}
	}
	for _, app := range sel.Apps() {
		if err == nil {
			err = d.change(app, cause, func(r *record) { r.Stopped = without(r.Stopped, slotNames(r, sel, nil)) })
		}
	}
	d.mu.Unlock()
	if err != nil {
		return Result{}, err
	}
	d.engine.Restart(again, cause)
	return d.await(ctx, sel, from, tell)
}

// slotNames adds the names of an app's selected slots to names.
func slotNames(r *record, sel Selection, names []string) []string {
	seen := map[string]bool{}
	for _, name := range names {
		seen[name] = true
	}
	for _, t := range r.App.Types {
		for n := 1; n <= r.Counts[t.Name]; n++ {
			s := muster.Slot{App: r.App.Name, Type: t.Name, N: n}
			if sel.Match(s) && !seen[s.Name()] {
				names = append(names, s.Name())
			}
		}
	}
	return names
}

func without(names, gone []string) (kept []string) {
	drop := map[string]bool{}
	for _, name := range gone {
		drop[name] = true
	}
	for _, name := range names {
		if !drop[name] {
			kept = append(kept, name)
		}
	}
	return kept
}

// A ScaleChange is one "web=4" or "worker+1".
type ScaleChange struct {
	Type string `json:"type"`
	Op   string `json:"op"` // "=", "+" or "-"
	N    int    `json:"n"`
}

// Scale changes how many processes of types run.
func (d *Daemon) Scale(ctx context.Context, t Target, changes []ScaleChange, tell func(Progress)) (Result, error) {
	d.mu.Lock()
	sel, err := d.resolve(t)
	if err == nil && len(sel.Apps()) != 1 {
		err = muster.Errorf(muster.CodeUsage, "-a APP", "scale works on one app")
	}
	var counts map[string]int
	if err == nil {
		counts, err = d.scaled(d.apps[sel[0].App], changes)
	}
	if err != nil {
		d.mu.Unlock()
		return Result{}, err
	}
	from := d.now()
	app := sel[0].App
	before := d.apps[app].Desired
	err = d.change(app, "muster scale", func(r *record) {
		r.Counts = counts
		for _, c := range changes { // scaling a type means wanting it to run
			r.Stopped = without(r.Stopped, slotNames(r, Selection{{App: app, Type: c.Type}}, nil))
		}
	})
	diff := formation.Diff(before, d.apps[app].Desired)
	d.mu.Unlock()
	if err != nil {
		return Result{}, err
	}
	tell(Progress{Changes: diff})
	d.sayOf(app, muster.EventApplied, "was scaled: %s", summary(changed(diff)))
	result, err := d.await(ctx, selectChanged(app, diff), from, tell)
	result.App, result.Changes = app, diff
	result.Processes = d.processes(sel)
	return result, err
}

// selectChanged selects the types that changes touch: what else is wrong with
// an app is no failure of this command.
func selectChanged(app string, changes []formation.Change) (sel Selection) {
	for _, c := range changed(changes) {
		sel = append(sel, muster.Slot{App: app, Type: c.Type})
	}
	return sel
}

func changed(all []formation.Change) (some []formation.Change) {
	for _, c := range all {
		if c.Kind != formation.ChangeNone {
			some = append(some, c)
		}
	}
	return some
}

// scaled returns the app's counts after changes, all of them or none.
func (d *Daemon) scaled(r *record, changes []ScaleChange) (map[string]int, error) {
	counts := r.clone().Counts
	for _, c := range changes {
		t := r.App.Type(c.Type)
		if t == nil || t.OneShot() {
			return nil, muster.Errorf(muster.CodeNotFound, "one of "+strings.Join(r.App.TypeNames(), ", "),
				"app %s has no process type %q to scale", r.App.Name, c.Type)
		}
		n := c.N
		switch c.Op {
		case "+":
			n = counts[c.Type] + c.N
		case "-":
			n = counts[c.Type] - c.N
		}
		if n < 0 || n > muster.MaxScale {
			return nil, muster.Errorf(muster.CodeInvalid, fmt.Sprintf("0 to %d", muster.MaxScale), "%s=%d is not a possible scale", c.Type, n)
		}
		counts[c.Type] = n
	}
	return counts, nil
}

// Delete stops apps and forgets them; their logs stay.
func (d *Daemon) Delete(ctx context.Context, t Target, tell func(Progress)) (Result, error) {
	d.mu.Lock()
	sel, err := d.resolve(t)
	d.mu.Unlock()
	if err != nil {
		return Result{}, err
	}
	for _, s := range sel {
		if s.Type != "" {
			return Result{}, muster.Errorf(muster.CodeUsage, "muster scale "+s.Type+"=0, or muster stop "+s.Type, "delete takes whole apps")
		}
	}
	d.mu.Lock()
	from := d.now()
	for _, app := range sel.Apps() {
		if err == nil {
			err = d.change(app, "muster delete", func(r *record) { r.Deleting, r.Counts = true, map[string]int{} })
		}
	}
	d.mu.Unlock()
	if err != nil {
		return Result{}, err
	}
	if _, err := d.await(ctx, sel, from, tell); err != nil {
		return Result{}, err
	}
	for _, app := range sel.Apps() {
		if err := d.forget(app); err != nil {
			return Result{}, err
		}
	}
	return Result{Processes: []muster.Process{}}, nil
}

// forget drops an app whose processes have ended, unless it was started again
// meanwhile.
func (d *Daemon) forget(app string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r := d.apps[app]; r == nil || !r.Deleting {
		return nil
	}
	if err := d.engine.Forget(app); err != nil {
		return err
	}
	if err := d.store.DeleteApp(app); err != nil {
		return err
	}
	delete(d.apps, app)
	d.watches.forget(app)
	d.sayOf(app, muster.EventDeleted, "was deleted; its logs stay in %s", d.Home.Logs())
	return nil
}

// finishDelete ends a delete that an earlier daemon began.
func (d *Daemon) finishDelete(ctx context.Context, app string) {
	if _, err := d.engine.Settle(ctx, Selection{{App: app}}.Match); err != nil {
		return
	}
	if err := d.forget(app); err != nil {
		d.sayOf(app, muster.EventWarning, "could not be deleted: %v", err)
	}
}

// Config returns an app's config vars.
func (d *Daemon) Config(t Target) (app string, config muster.Env, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	app, err = d.oneApp(t, "config")
	if err != nil {
		return "", nil, err
	}
	r := d.apps[app].clone()
	return r.App.Name, r.Environment.Config, nil
}

// SetConfig sets and unsets config vars, then restarts the app's processes one
// after the other. Values never reach the journal.
func (d *Daemon) SetConfig(ctx context.Context, t Target, set muster.Env, unset []string, tell func(Progress)) (Result, error) {
	for name, value := range set {
		if hint, own := ownVariable(name); own {
			return Result{}, muster.Errorf(muster.CodeInvalid, hint, "%s is set by Muster for each process", name)
		}
		if !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
			return Result{}, muster.Errorf(muster.CodeInvalid, "encoding it, for example as base64", "the value of %s is not UTF-8 text", name)
		}
		if !muster.ValidEnvName(name) {
			return Result{}, muster.Errorf(muster.CodeInvalid, "letters, digits and _, not starting with a digit", "%q can not name a config var", name)
		}
	}
	app, names, err := d.storeConfig(t, set, unset)
	if err != nil || len(names) == 0 {
		return Result{App: app, Processes: d.processes(Selection{{App: app}})}, err
	}
	d.sayOf(app, muster.EventConfig, "config vars changed: %s", strings.Join(names, ", "))
	return d.roll(ctx, Selection{{App: app}}, "config vars changed", tell)
}

// ownVariable reports names that a config var could not change, and what can.
func ownVariable(name string) (hint string, own bool) {
	switch {
	case name == "PORT":
		return "port = in muster.toml, or muster start -p", true
	case name == "PS", name == "DYNO", name == "NOTIFY_SOCKET", strings.HasPrefix(name, "MUSTER_"), strings.HasPrefix(name, "LISTEN_"):
		return "another name", true
	}
	return "", false
}

// storeConfig changes what is stored, and returns the names of what differs.
func (d *Daemon) storeConfig(t Target, set muster.Env, unset []string) (app string, names []string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if app, err = d.oneApp(t, "config"); err != nil {
		return "", nil, err
	}
	config := d.apps[app].clone().Environment.Config
	if names = editConfig(config, set, unset); len(names) == 0 {
		return app, nil, nil
	}
	return app, names, d.change(app, "config vars changed", func(r *record) { r.Environment.Config = config })
}

// editConfig changes config and returns the names of what differs then.
func editConfig(config, set muster.Env, unset []string) (names []string) {
	for name, value := range set {
		if was, ok := config[name]; !ok || was != value {
			names = append(names, name)
		}
		config[name] = value
	}
	for _, name := range unset {
		if _, ok := config[name]; ok {
			names = append(names, name)
			delete(config, name)
		}
	}
	sort.Strings(names)
	return names
}
