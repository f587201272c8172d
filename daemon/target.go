package daemon

import (
	"sort"
	"strings"

	"muster"
)

// A Target is what a person named on a command line, and where they stood.
type Target struct {
	Names []string `json:"names"`
	// App is -a; Dir is the caller's directory, which stands for the app that
	// lives there.
	App string `json:"app,omitempty"`
	Dir string `json:"dir,omitempty"`
}

// A Selection is what a Target means: slots by app, type and number, where an
// empty field stands for all.
type Selection []muster.Slot

// Match reports whether a slot is selected.
func (sel Selection) Match(s muster.Slot) bool {
	for _, x := range sel {
		if x.App == s.App && (x.Type == "" || x.Type == s.Type) && (x.N == 0 || x.N == s.N) {
			return true
		}
	}
	return false
}

// Apps returns the names of the selected apps, sorted.
func (sel Selection) Apps() []string {
	seen := map[string]bool{}
	var names []string
	for _, x := range sel {
		if !seen[x.App] {
			seen[x.App] = true
			names = append(names, x.App)
		}
	}
	sort.Strings(names)
	return names
}

// resolve turns a target into a selection, or says which name means nothing.
// With no names it is the app of the directory. The caller holds mu.
func (d *Daemon) resolve(t Target) (Selection, error) {
	here, err := d.here(t)
	if err != nil {
		return nil, err
	}
	if len(t.Names) == 0 {
		if here == "" {
			return nil, muster.Errorf(muster.CodeUsage, "naming an app, or all; muster ps lists them", "this directory is no app's")
		}
		return Selection{{App: here}}, nil
	}
	var sel Selection
	for _, name := range t.Names {
		more, err := d.resolveName(name, here, t.App != "")
		if err != nil {
			return nil, err
		}
		sel = append(sel, more...)
	}
	return sel, nil
}

// here is the app a type name without an app belongs to.
func (d *Daemon) here(t Target) (string, error) {
	if t.App != "" {
		if d.apps[t.App] == nil {
			return "", d.unknown(t.App)
		}
		return t.App, nil
	}
	found, longest := "", 0
	for name, r := range d.apps {
		if dir := r.App.Dir; within(t.Dir, dir) && len(dir) > longest {
			found, longest = name, len(dir)
		}
	}
	return found, nil
}

// within reports whether a directory is another one, or below it.
func within(dir, parent string) bool {
	return dir != "" && (dir == parent || strings.HasPrefix(dir, strings.TrimSuffix(parent, "/")+"/"))
}

func (d *Daemon) resolveName(name, here string, insideApp bool) (Selection, error) {
	if name == "all" {
		var sel Selection
		for app := range d.apps {
			if !insideApp || app == here {
				sel = append(sel, muster.Slot{App: app})
			}
		}
		return sel, nil
	}
	if app, process, ok := strings.Cut(name, "/"); ok {
		if d.apps[app] == nil {
			return nil, d.unknown(app)
		}
		return d.processOf(app, process)
	}
	if d.apps[name] != nil && !insideApp {
		return Selection{{App: name}}, nil
	}
	if here == "" {
		return nil, d.unknown(name)
	}
	return d.processOf(here, name)
}

// processOf resolves "web" or "web.1" in an app.
func (d *Daemon) processOf(app, process string) (Selection, error) {
	r := d.apps[app]
	if typ, n, ok := muster.ParseSlotName(process); ok {
		if typ == "run" || r.App.Type(typ) != nil && n <= max(r.Counts[typ], d.highestSlot(app, typ)) {
			return Selection{{App: app, Type: typ, N: n}}, nil
		}
	} else if r.App.Type(process) != nil {
		return Selection{{App: app, Type: process}}, nil
	}
	return nil, muster.Errorf(muster.CodeNotFound, "one of "+strings.Join(r.App.TypeNames(), ", ")+", or muster ps",
		"app %s has no process %q", app, process)
}

func (d *Daemon) highestSlot(app, typ string) (highest int) {
	for _, s := range d.engine.Processes() {
		if s.App == app && s.Type == typ {
			highest = max(highest, s.Slot)
		}
	}
	return highest
}

func (d *Daemon) unknown(name string) error {
	hint := "muster ps, which lists them"
	if len(d.apps) == 0 {
		hint = "muster start in its directory: there are no apps yet"
	}
	return muster.Errorf(muster.CodeNotFound, hint, "there is no app %q", name)
}

// one resolves a target that must name exactly one running process.
func (d *Daemon) one(t Target) (muster.Slot, error) {
	d.mu.Lock()
	sel, err := d.resolve(t)
	d.mu.Unlock()
	if err != nil {
		return muster.Slot{}, err
	}
	var found []muster.Slot
	for _, s := range d.engine.Processes() {
		if sel.Match(s.SlotOf()) && s.PID != 0 {
			found = append(found, s.SlotOf())
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return muster.Slot{}, muster.Errorf(muster.CodeNotFound, "muster ps", "%s: nothing runs there", strings.Join(t.Names, " "))
	}
	return muster.Slot{}, muster.Errorf(muster.CodeUsage, "naming one of them, such as "+found[0].Name(),
		"%s means %d processes", strings.Join(t.Names, " "), len(found))
}

// oneApp resolves a target that must mean one app. The caller holds mu.
func (d *Daemon) oneApp(t Target, command string) (string, error) {
	sel, err := d.resolve(t)
	if err != nil {
		return "", err
	}
	if len(sel.Apps()) != 1 {
		return "", muster.Errorf(muster.CodeUsage, "-a APP", "%s works on one app", command)
	}
	return sel[0].App, nil
}
