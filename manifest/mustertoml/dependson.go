package mustertoml

import "muster"

// dependsOn reads ["db"] or {db = "ready"}. Whether the types exist is known
// only when the Procfile is.
func (r *reader) dependsOn(v value, t *Type) {
	const example = `["db"] or {db = "ready"}`
	add := func(at value, typ string, c muster.Condition) {
		for _, d := range t.DependsOn {
			if d.Type == typ {
				r.refuse(at, "removing it", "%s names %q twice", v.path, typ)
				return
			}
		}
		t.DependsOn = append(t.DependsOn, muster.Dependency{Type: typ, Condition: c})
		t.DependsOnPos = append(t.DependsOnPos, at.pos)
	}
	switch {
	case v.isTable():
		for _, field := range v.fields {
			if c := r.oneOf(field, "ready", "started", "completed"); c != "" {
				add(field, field.key, muster.Condition(c))
			}
		}
	case v.isArray():
		for _, item := range v.items {
			if name := r.text(item, `"db"`); name != "" {
				add(item, name, muster.ConditionReady)
			}
		}
	default:
		r.want(v, "a list of process types or a table", example)
	}
}
