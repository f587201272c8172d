package mustertoml

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster"
	"muster/manifest/source"
)

// A reader turns values into the glossary's and collects what is wrong. Its
// methods return the zero value where they complain.
type reader struct {
	complaints source.Complaints
}

// keys says what to do with each known key of a table.
type keys map[string]func(value)

func (r *reader) refuse(v value, hint, format string, args ...any) {
	r.complaints = append(r.complaints, muster.ErrorAt(v.pos, hint, format, args...))
}

// want refuses a value of another kind.
func (r *reader) want(v value, expected, example string) {
	r.refuse(v, example, "%s must be %s, not %s", v.path, expected, v.kind())
}

// unknown refuses a key and suggests one.
func (r *reader) unknown(v value, known []string) {
	hint := "one of " + strings.Join(known, ", ")
	if nearest, ok := source.Nearest(v.key, known); ok {
		hint = strconv.Quote(nearest)
	}
	r.refuse(v, hint, "unknown key %q", v.key)
}

// table hands each field of a table to its reader. later are the keys of later
// versions, as a complaint shows them: "log.file" for a key "file".
func (r *reader) table(v value, known keys, later ...string) {
	for _, field := range v.fields {
		isField := func(name string) bool { return name[strings.LastIndexByte(name, '.')+1:] == field.key }
		read, i := known[field.key], slices.IndexFunc(later, isField)
		switch {
		case read != nil:
			read(field)
		case i >= 0:
			r.later(field, later[i])
		default:
			r.unknown(field, slices.Sorted(maps.Keys(known)))
		}
	}
}

// later refuses what Muster will know and does not know yet.
func (r *reader) later(v value, what string) {
	r.refuse(v, "removing it", "%s is not supported by this version", what)
}

// text reads a string that is not empty; example is one.
func (r *reader) text(v value, example string) string {
	s, ok := v.data.(string)
	switch {
	case !ok:
		r.want(v, "a string", example)
	case s == "":
		r.refuse(v, example, "%s is empty", v.path)
	case strings.ContainsRune(s, 0):
		r.refuse(v, "removing it", "%s holds a NUL character", v.path)
	default:
		return s
	}
	return ""
}

// oneOf reads a string out of a closed set.
func (r *reader) oneOf(v value, words ...string) string {
	s, ok := v.data.(string)
	list := strconv.Quote(strings.Join(words, `", "`))
	list = strings.ReplaceAll(list, `\"`, `"`)
	if !ok {
		r.want(v, "one of "+list, strconv.Quote(words[0]))
		return ""
	}
	if !slices.Contains(words, s) {
		hint := "one of " + list
		if nearest, near := source.Nearest(s, words); near {
			hint = strconv.Quote(nearest)
		}
		r.refuse(v, hint, "%s cannot be %q", v.path, s)
		return ""
	}
	return s
}

func (r *reader) boolean(v value) bool {
	b, ok := v.data.(bool)
	if !ok {
		r.want(v, "true or false", "true")
	}
	return b
}

// integer reads a whole number from low to high.
func (r *reader) integer(v value, low, high int, example string) int {
	n, ok := v.data.(int64)
	if !ok {
		r.want(v, "an integer", example)
		return 0
	}
	if n < int64(low) || n > int64(high) {
		r.refuse(v, example, "%s must be from %d to %d, not %d", v.path, low, high, n)
		return 0
	}
	return int(n)
}

func (r *reader) port(v value) int { return r.integer(v, 1, 65535, "8080") }

// duration reads a time that is more than 0: the zero value means the default.
func (r *reader) duration(v value) muster.Duration {
	const expected = "a duration"
	if n, ok := v.data.(int64); ok {
		r.want(v, expected, strconv.Quote(strconv.FormatInt(n, 10)+"s"))
		return 0
	}
	s, ok := v.data.(string)
	if !ok {
		r.want(v, expected, `"10s"`)
		return 0
	}
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		r.refuse(v, `a number and a unit, like "10s" or "1m30s"`, "%s: %q is not a duration", v.path, s)
	case d <= 0:
		r.refuse(v, `"10s"`, "%s must be more than 0, not %q", v.path, s)
	}
	return muster.Duration(max(d, 0))
}

// bytes reads a size that is more than 0.
func (r *reader) bytes(v value) muster.Bytes {
	s, ok := v.data.(string)
	if !ok {
		r.want(v, "a size", `"512MB"`)
		return 0
	}
	n, err := muster.ParseBytes(s)
	if err != nil || n <= 0 || strings.Trim(s, "0123456789. kKmMgGtTbB") != "" {
		r.refuse(v, `a number and a unit, like "512MB" or "1.5G"`, "%s: %q is not a size", v.path, s)
		return 0
	}
	return n
}

// texts reads one string or a list of them.
func (r *reader) texts(v value, example string) []string {
	if !v.isArray() {
		return nonEmpty(r.text(v, example))
	}
	var list []string
	for _, item := range v.items {
		list = append(list, nonEmpty(r.text(item, example))...)
	}
	return list
}

// nonEmpty is a list of s, or of nothing where reading s was refused.
func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// paths reads the names of other files.
func (r *reader) paths(v value) []Path {
	const example = `".env.production"`
	items := v.items
	if !v.isArray() {
		items = []value{v}
	}
	var paths []Path
	for _, item := range items {
		if s := r.text(item, example); s != "" {
			paths = append(paths, Path{s, item.pos})
		}
	}
	return paths
}
