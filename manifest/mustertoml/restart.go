package mustertoml

import (
	"slices"
	"strconv"
	"strings"

	"muster"
)

func (r *reader) backoff(v value, b *muster.Backoff) {
	if !v.isTable() {
		r.want(v, "a table", `{initial = "100ms", max = "5m"}`)
		return
	}
	r.table(v, keys{
		"initial": func(v value) { b.Initial = r.duration(v) },
		"max":     func(v value) { b.Max = r.duration(v) },
	})
	if b.Initial > 0 && b.Max > 0 && b.Initial > b.Max {
		r.refuse(v, "max = "+strconv.Quote(b.Initial.String()), "%s: initial %s is more than max %s", v.path, b.Initial, b.Max)
	}
}

// maxRestarts reads n or {n, within}.
func (r *reader) maxRestarts(v value, m *muster.MaxRestarts) {
	const most = 1_000_000
	if _, ok := v.data.(int64); ok {
		m.N = r.integer(v, 0, most, "10")
		return
	}
	if !v.isTable() {
		r.want(v, "a number or a table", `10 or {n = 10, within = "1m"}`)
		return
	}
	before := len(r.complaints)
	r.table(v, keys{
		"n":      func(v value) { m.N = r.integer(v, 1, most, "10") },
		"within": func(v value) { m.Within = r.duration(v) },
	})
	if m.N == 0 && len(r.complaints) == before {
		r.refuse(v, `{n = 10, within = "1m"}`, "%s has no n", v.path)
	}
}

// signals are those a process can be asked to end with and that every Unix
// has. STOP and its kin are not: a stopped process does not end.
var signals = []string{
	"HUP", "INT", "QUIT", "ABRT", "KILL", "ALRM", "TERM", "USR1", "USR2", "PIPE", "TRAP", "ILL", "BUS", "FPE", "SEGV", "SYS",
	"CHLD", "CONT", "IO", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH",
}

// signal reads a signal's name, with or without SIG, and returns it without.
func (r *reader) signal(v value) string {
	name := r.text(v, `"TERM"`)
	if name == "" {
		return ""
	}
	short := strings.TrimPrefix(strings.ToUpper(name), "SIG")
	if slices.Contains(signals, short) {
		return short
	}
	r.refuse(v, `"TERM", "INT", "QUIT", "HUP", "USR1", "USR2" or "WINCH"`, "%s: %q is not a signal that ends a process", v.path, name)
	return ""
}
