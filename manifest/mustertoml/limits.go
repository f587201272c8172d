package mustertoml

import (
	"math"
	"slices"
	"strings"

	"muster"
)

// rlimitNames are ulimit's long names, as in limits.conf.
var rlimitNames = []string{"nofile", "nproc", "core", "fsize", "stack", "data", "as", "memlock", "cpu"}

// rlimits reads a table of name -> number or "unlimited".
func (r *reader) rlimits(v value) map[string]uint64 {
	if !v.isTable() {
		r.want(v, "a table", "{nofile = 65536}")
		return nil
	}
	limits := map[string]uint64{}
	for _, field := range v.fields {
		n, isNumber := field.data.(int64)
		switch {
		case !slices.Contains(rlimitNames, field.key):
			r.unknown(field, rlimitNames)
		case field.data == "unlimited":
			limits[field.key] = math.MaxUint64
		case isNumber && n >= 0:
			limits[field.key] = uint64(n)
		case isNumber:
			r.refuse(field, `"unlimited"`, "%s must not be negative", field.path)
		default:
			r.want(field, `a number or "unlimited"`, "65536")
		}
	}
	return limits
}

// cores reads a number of processor cores.
func (r *reader) cores(v value) float64 {
	var n float64
	switch data := v.data.(type) {
	case int64:
		n = float64(data)
	case float64:
		n = data
	default:
		r.want(v, "a number of cores", "1.5")
		return 0
	}
	if !(n >= 0.01 && n <= 10_000) { // also refuses nan
		r.refuse(v, "1.5", "%s must be from 0.01 to 10000 cores, not %v", v.path, n)
		return 0
	}
	return n
}

// log reads how much of the output is kept.
func (r *reader) log(v value, l *muster.Log) {
	if !v.isTable() {
		r.want(v, "a table", `{max_size = "10MB", keep = 10}`)
		return
	}
	r.table(v, keys{
		"max_size":  func(v value) { l.MaxSize = r.bytes(v) },
		"max_age":   func(v value) { l.MaxAge = r.duration(v) },
		"keep":      func(v value) { l.Keep = r.integer(v, 1, 1_000_000, "10") },
		"compress":  func(v value) { l.Compress = r.boolean(v) },
		"max_total": func(v value) { l.MaxTotal = r.bytes(v) },
	}, "log.file", "log.json")
}

// watch reads true, a list of paths or a table.
func (r *reader) watch(v value, w *muster.Watch) {
	const example = `["src"]`
	switch v.data.(type) {
	case bool:
		w.Enabled = r.boolean(v)
	case string, []any:
		w.Enabled, w.Paths = true, r.texts(v, example)
	case map[string]any:
		w.Enabled = true
		r.table(v, keys{
			"paths":  func(v value) { w.Paths = r.texts(v, example) },
			"ignore": func(v value) { w.Ignore = r.texts(v, `["**/*.log"]`) },
			"delay":  func(v value) { w.Delay = r.duration(v) },
		})
	default:
		r.want(v, "true, a list of paths or a table", example)
	}
}

func hasNUL(s string) bool { return strings.ContainsRune(s, 0) }
