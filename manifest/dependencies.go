package manifest

import (
	"strconv"
	"strings"

	"muster"
	"muster/manifest/mustertoml"
	"muster/manifest/source"
)

// dependencies refuses what would wait for ever: for a type that is not there,
// that never runs, or that waits itself.
func (l *loader) dependencies() {
	g := graph{types: l.types, index: map[string]int{}, state: make([]visit, len(l.types))}
	for i, t := range l.types {
		g.index[t.Name] = i
	}
	for i := range l.types {
		for n := range l.types[i].DependsOn {
			l.refused.Add(g.check(&l.types[i], n))
			l.warnEndless(&g, &l.types[i], n)
		}
	}
	for i := range l.types {
		l.refused.Add(g.walk(i))
	}
}

// A graph is the process types with what they depend on.
type graph struct {
	types []mustertoml.Type
	index map[string]int
	state []visit
	path  []int // the types being visited
}

// A visit is how far a depth-first search has come with one type.
type visit uint8

const (
	visitNone visit = iota
	visitOpen
	visitDone
)

// check looks at dependency n of t alone.
func (g *graph) check(t *mustertoml.Type, n int) *muster.Error {
	name, pos := t.DependsOn[n].Type, t.DependsOnPos[n]
	i, known := g.index[name]
	switch {
	case !known:
		names := make([]string, len(g.types))
		for i := range g.types {
			names[i] = g.types[i].Name
		}
		hint := "one of " + strings.Join(names[:min(len(names), 10)], ", ")
		if nearest, ok := source.Nearest(name, names); ok {
			hint = strconv.Quote(nearest)
		}
		return muster.ErrorAt(pos, hint, "process type %q depends on %q, which is not a process type", t.Name, name)
	case name == t.Name:
		return muster.ErrorAt(pos, "removing it", "process type %q depends on itself", t.Name)
	case g.types[i].OneShot():
		return muster.ErrorAt(pos, "another name for it: this one runs in a deploy only",
			"process type %q depends on %q, which never starts with the others", t.Name, name)
	}
	return nil
}

// walk searches the types below i and refuses the dependency that closes a
// cycle.
func (g *graph) walk(i int) *muster.Error {
	if g.state[i] == visitDone {
		return nil
	}
	g.state[i] = visitOpen
	g.path = append(g.path, i)
	defer func() { g.path, g.state[i] = g.path[:len(g.path)-1], visitDone }()
	for n, d := range g.types[i].DependsOn {
		next, known := g.index[d.Type]
		if !known || next == i {
			continue // check has refused it
		}
		if g.state[next] == visitOpen {
			return muster.ErrorAt(g.types[i].DependsOnPos[n], "removing one of these dependencies", "process types wait for each other: %s", g.cycle(next))
		}
		if e := g.walk(next); e != nil {
			return e
		}
	}
	return nil
}

// cycle prints the path from the type at i back to itself: "a -> b -> a".
func (g *graph) cycle(i int) string {
	var names []string
	for _, p := range g.path {
		if len(names) > 0 || p == i {
			names = append(names, g.types[p].Name)
		}
	}
	return strings.Join(append(names, g.types[i].Name), " -> ")
}

// warnEndless tells of a dependency on the end of a process that is started
// again whenever it ends.
func (l *loader) warnEndless(g *graph, t *mustertoml.Type, n int) {
	i, known := g.index[t.DependsOn[n].Type]
	if !known || t.DependsOn[n].Condition != muster.ConditionCompleted {
		return
	}
	if mode := g.types[i].Restart.Mode; mode == "" || mode == muster.RestartAlways {
		l.warnings = append(l.warnings, muster.ErrorAt(t.DependsOnPos[n], `restart = "on-failure" in the table of `+strconv.Quote(g.types[i].Name),
			"process type %q waits until %q has completed, but that is started again whenever it ends", t.Name, g.types[i].Name))
	}
}
