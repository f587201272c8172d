package formation

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sort"

	"muster"
)

// A Change is what a start does to one process type.
type Change struct {
	Type string     `json:"type"`
	Kind ChangeKind `json:"kind"`
	From int        `json:"from"` // processes before
	To   int        `json:"to"`   // processes after
	// Fields names what differs, for ChangeReplace.
	Fields []string `json:"fields,omitempty"`
}

// A ChangeKind names a Change.
type ChangeKind string

const (
	ChangeAdd     ChangeKind = "add"
	ChangeReplace ChangeKind = "replace" // the command or its surroundings differ: processes are restarted
	ChangeUpdate  ChangeKind = "update"  // only the care differs (limits on restarts, logs): processes run on
	ChangeScale   ChangeKind = "scale"
	ChangeRemove  ChangeKind = "remove"
	ChangeNone    ChangeKind = "unchanged"
)

func (c Change) String() string {
	switch c.Kind {
	case ChangeAdd:
		return fmt.Sprintf("+ %s: start %d", c.Type, c.To)
	case ChangeReplace:
		return fmt.Sprintf("~ %s: replace %d (%s changed)", c.Type, c.To, join(c.Fields))
	case ChangeUpdate:
		return fmt.Sprintf("~ %s: %s changed, nothing restarts", c.Type, join(c.Fields))
	case ChangeScale:
		return fmt.Sprintf("~ %s: scale %d -> %d", c.Type, c.From, c.To)
	case ChangeRemove:
		return fmt.Sprintf("- %s: stop %d", c.Type, c.From)
	}
	return fmt.Sprintf("= %s: unchanged", c.Type)
}

func join(fields []string) string {
	switch len(fields) {
	case 0:
		return "something"
	case 1:
		return fields[0]
	}
	s := fields[0]
	for _, f := range fields[1:] {
		s += ", " + f
	}
	return s
}

// A Desired is an app and how many processes of each type it should have.
type Desired struct {
	App    *muster.App    `json:"app"`
	Counts map[string]int `json:"counts"`
}

// Diff returns one Change for every process type of either side, in the
// manifest's order, removed ones last. old may be the zero Desired.
func Diff(old, new Desired) []Change {
	var changes []Change
	for i := range new.App.Types {
		if new.App.Types[i].OneShot() {
			continue // no part of the formation
		}
		changes = append(changes, diffType(old, new, &new.App.Types[i]))
	}
	if old.App == nil {
		return changes
	}
	for _, t := range old.App.Types {
		if new.App.Type(t.Name) == nil && !t.OneShot() {
			changes = append(changes, Change{Type: t.Name, Kind: ChangeRemove, From: old.Counts[t.Name]})
		}
	}
	return changes
}

func diffType(old, new Desired, t *muster.ProcessType) Change {
	c := Change{Type: t.Name, Kind: ChangeNone, To: new.Counts[t.Name]}
	var was *muster.ProcessType
	if old.App != nil {
		was = old.App.Type(t.Name)
	}
	if was == nil {
		c.Kind = ChangeAdd
		return c
	}
	c.From = old.Counts[t.Name]
	restart, update := differences(old.App, new.App, was, t)
	switch {
	case len(restart) > 0:
		c.Kind, c.Fields = ChangeReplace, restart
	case c.From != c.To:
		c.Kind = ChangeScale
	case len(update) > 0:
		c.Kind, c.Fields = ChangeUpdate, update
	}
	return c
}

// differences names the fields that differ: those a running process was born
// with, and those only its care depends on.
func differences(oldApp, newApp *muster.App, a, b *muster.ProcessType) (restart, update []string) {
	was, is := born(oldApp, a), born(newApp, b)
	birth := map[string][2]any{}
	for name := range is {
		birth[name] = [2]any{was[name], is[name]}
	}
	care := map[string][2]any{
		"ready": {a.Ready, b.Ready}, "healthcheck": {a.Healthcheck, b.Healthcheck},
		"restart": {a.Restart, b.Restart}, "stop": {a.Stop, b.Stop}, "watch": {a.Watch, b.Watch},
		"log": {a.Log, b.Log}, "depends_on": {a.DependsOn, b.DependsOn},
	}
	return differing(birth), differing(care)
}

// born is what a process of a type is born with, and can not be given later.
func born(a *muster.App, t *muster.ProcessType) map[string]any {
	return map[string]any{
		"command": t.Command, "cwd": t.Cwd, "environment": merged(a.Env, t.Env), "port": t.Port, "sockets": t.Sockets,
		"user": t.User + ":" + t.Group, "limits": t.Limits, "directory": a.Dir,
	}
}

// Fingerprint is equal for process types whose processes are born with the
// same. It tells nothing of the environment it is made from.
func Fingerprint(a *muster.App, t *muster.ProcessType) string {
	facts := born(a, t)
	if len(t.Sockets) == 0 {
		facts["sockets"] = nil // an empty list and none are one
	}
	data, _ := json.Marshal(facts)
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

func differing(pairs map[string][2]any) []string {
	var names []string
	for name, p := range pairs {
		if !same(p[0], p[1]) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// same compares by what would be stored: an absent and an empty list are one.
func same(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(emptyIsAbsent(x), emptyIsAbsent(y))
}

func emptyIsAbsent(data []byte) []byte {
	if s := string(data); s == "[]" || s == "{}" {
		return []byte("null")
	}
	return data
}

// merged never returns nil, so that an absent and an empty environment are the
// same.
func merged(envs ...muster.Env) muster.Env {
	all := muster.Env{}
	for _, env := range envs {
		for k, v := range env {
			all[k] = v
		}
	}
	return all
}
