package formation

import (
	"fmt"
	"sort"
	"strings"

	"muster"
)

// Progress is how far a process type has come, over all its slots.
type Progress struct {
	Wanted    int // slots that should run
	Started   int // slots whose process has been started at least once
	Up        int
	Completed int // slots that ended with code 0 and stay down
	Running   int
}

// Blocked returns what type t still waits for, in words, or "" when it may
// start.
func Blocked(t *muster.ProcessType, progress func(typ string) Progress) string {
	var waits []string
	for _, d := range t.DependsOn {
		if !satisfied(d.Condition, progress(d.Type)) {
			waits = append(waits, fmt.Sprintf("%s to be %s", d.Type, d.Condition))
		}
	}
	if len(waits) == 0 {
		return ""
	}
	return "waits for " + strings.Join(waits, " and ")
}

// satisfied: a type scaled to zero satisfies nothing but "nobody waits for it"
// would be worse: its dependents could never start. So zero counts as done.
func satisfied(c muster.Condition, p Progress) bool {
	switch c {
	case muster.ConditionStarted:
		return p.Started >= p.Wanted
	case muster.ConditionCompleted:
		return p.Completed >= p.Wanted
	default:
		return p.Up >= p.Wanted
	}
}

// Dependents returns the names of the types that depend on typ, directly.
func Dependents(types []muster.ProcessType, typ string) []string {
	var names []string
	for _, t := range types {
		for _, d := range t.DependsOn {
			if d.Type == typ {
				names = append(names, t.Name)
			}
		}
	}
	sort.Strings(names)
	return names
}
