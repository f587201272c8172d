package manifest

import (
	"strconv"

	"muster"
	"muster/manifest/mustertoml"
	"muster/manifest/procfile"
	"muster/manifest/source"
)

// plain is a process type that muster.toml says nothing of.
func plain(t muster.ProcessType) mustertoml.Type {
	t.Log.Compress = true
	return mustertoml.Type{ProcessType: t}
}

func procfileTypes(entries []procfile.Entry) []mustertoml.Type {
	types := make([]mustertoml.Type, len(entries))
	for i, e := range entries {
		types[i] = plain(muster.ProcessType{Name: e.Name, Command: muster.Command{Shell: e.Command}, Pos: e.Pos})
	}
	return types
}

// join adds what muster.toml says to the types that from, the file beside it,
// names. Its own types come after them, in its order.
func (l *loader) join(toml *mustertoml.File, from string) {
	index := map[string]int{}
	for i, t := range l.types {
		index[t.Name] = i
	}
	named := len(l.types)
	for _, extra := range toml.Types {
		i, known := index[extra.Name]
		switch {
		case known:
			l.types[i] = l.extend(l.types[i], extra)
		case extra.Command.IsZero():
			l.refused.Add(noCommand(extra, l.types[:named], from))
		default:
			l.types = append(l.types, extra)
		}
	}
}

// extend returns base with what muster.toml says of it. A command there wins,
// with a warning: it is more often forgotten than meant.
func (l *loader) extend(base, extra mustertoml.Type) mustertoml.Type {
	extra.Pos = base.Pos
	if extra.Command.IsZero() {
		extra.Command = base.Command
		return extra
	}
	l.warnings = append(l.warnings, muster.ErrorAt(extra.CommandPos, "removing one of them",
		"process type %q has a command in %s too; the one here counts", base.Name, base.Pos))
	return extra
}

// noCommand refuses a type that only muster.toml knows and that cannot run.
func noCommand(t mustertoml.Type, named []mustertoml.Type, from string) *muster.Error {
	hint := `command = "node server.js" in its table`
	if len(named) == 0 {
		return muster.ErrorAt(t.Pos, hint, "process type %q has no command", t.Name)
	}
	names := make([]string, len(named))
	for i, n := range named {
		names[i] = n.Name
	}
	if nearest, ok := source.Nearest(t.Name, names); ok {
		hint = strconv.Quote(nearest) + ", or " + hint
	}
	return muster.ErrorAt(t.Pos, hint, "process type %q is not in %s and has no command", t.Name, from)
}
