package mustertoml

import (
	"strconv"

	"muster"
)

// later are the keys of a process type that later versions know.
var later = []string{"cluster", "reload", "restart_above_memory", "cron", "routes"}

// processTypeKeys are the keys of a process type whose value may be a table.
var processTypeKeys = map[string]bool{
	"scale": true, "env": true, "depends_on": true, "ready": true, "healthcheck": true, "backoff": true,
	"max_restarts": true, "watch": true, "rlimits": true, "log": true, "routes": true, "reload": true,
}

// processType reads the table of one type.
func (r *reader) processType(f *File, v value) {
	if !muster.ValidTypeName(v.key) {
		r.refuse(v, `letters, digits, "_" and inner "-", at most 63`, "%q cannot name a process type", v.key)
		return
	}
	for _, known := range f.Types {
		if known.Name == v.key {
			r.refuse(v, "one table for it", "process type %q is described twice, first on line %d", v.key, known.Pos.Line)
			return
		}
	}
	t := Type{ProcessType: muster.ProcessType{Name: v.key, Pos: v.pos}}
	t.Log.Compress = true
	r.table(v, r.processTypeKeys(&t), later...)
	f.Types = append(f.Types, t)
}

func (r *reader) processTypeKeys(t *Type) keys {
	return keys{
		"command":      func(v value) { t.Command, t.CommandPos = r.command(v), v.pos },
		"scale":        func(v value) { t.Scale = r.scale(v) },
		"cwd":          func(v value) { t.Cwd, t.CwdPos = r.text(v, `"backend"`), v.pos },
		"env":          func(v value) { t.Env = r.env(v) },
		"env_file":     func(v value) { t.EnvFiles = r.paths(v) },
		"port":         func(v value) { t.Port = r.port(v) },
		"sockets":      func(v value) { r.sockets(v, t) },
		"depends_on":   func(v value) { r.dependsOn(v, t) },
		"ready":        func(v value) { t.Ready = r.ready(v) },
		"healthcheck":  func(v value) { t.Healthcheck = r.healthcheck(v) },
		"restart":      func(v value) { t.Restart.Mode = muster.RestartMode(r.oneOf(v, "always", "on-failure", "never")) },
		"backoff":      func(v value) { r.backoff(v, &t.Restart.Backoff) },
		"max_restarts": func(v value) { r.maxRestarts(v, &t.Restart.MaxRestarts) },
		"stop_signal":  func(v value) { t.Stop.Signal = r.signal(v) },
		"stop_timeout": func(v value) { t.Stop.Timeout = r.duration(v) },
		"stop_command": func(v value) { t.Stop.Command = r.command(v) },
		"memory_limit": func(v value) { t.Limits.Memory = r.bytes(v) },
		"cpu_limit":    func(v value) { t.Limits.CPU = r.cores(v) },
		"watch":        func(v value) { r.watch(v, &t.Watch) },
		"user":         func(v value) { t.User = r.account(v) },
		"group":        func(v value) { t.Group = r.account(v) },
		"nice":         func(v value) { t.Limits.Nice = r.integer(v, -20, 19, "10") },
		"rlimits":      func(v value) { t.Limits.Rlimits = r.rlimits(v) },
		"log":          func(v value) { r.log(v, &t.Log) },
	}
}

// command reads a line for the shell or an array that no shell sees.
func (r *reader) command(v value) muster.Command {
	const example = `"node server.js" or ["node", "server.js"]`
	if !v.isArray() {
		if _, ok := v.data.(string); !ok {
			r.want(v, "a string or an array of strings", example)
			return muster.Command{}
		}
		return muster.Command{Shell: r.text(v, example)}
	}
	if len(v.items) == 0 {
		r.refuse(v, example, "%s is empty", v.path)
	}
	var argv []string
	for i, item := range v.items {
		if word, ok := item.data.(string); ok && word == "" && i > 0 {
			argv = append(argv, "") // an argument may be empty, a program not
			continue
		}
		argv = append(argv, r.text(item, example))
	}
	return muster.Command{Argv: argv}
}

// env reads a table of variables. Values are not expanded, and no complaint
// shows one.
func (r *reader) env(v value) muster.Env {
	if !v.isTable() {
		r.want(v, "a table", `{NODE_ENV = "production"}`)
		return nil
	}
	env := muster.Env{}
	for _, field := range v.fields {
		text, ok := field.data.(string)
		switch {
		case !muster.ValidEnvName(field.key):
			r.refuse(field, `letters, digits and "_"`, "%q cannot name an environment variable", field.key)
		case !ok:
			r.want(field, "a string", "quotes around the value")
		case hasNUL(text):
			r.refuse(field, "removing it", "%s holds a NUL character", field.path)
		default:
			env[field.key] = text
		}
	}
	return env
}

// scale reads n, "auto" or {min, max}.
func (r *reader) scale(v value) muster.Scale {
	const expected, example = `a number of processes, "auto" or {min = 1, max = 4}`, "2"
	switch data := v.data.(type) {
	case int64:
		return muster.Scale{N: r.integer(v, 0, muster.MaxScale, example), Set: true}
	case string:
		if data != "auto" {
			r.refuse(v, `"auto"`, "%s must be %s, not %q", v.path, expected, data)
		}
		return muster.Scale{Auto: true, Set: true}
	case map[string]any:
		s := muster.Scale{Auto: true, Set: true}
		r.table(v, keys{
			"min": func(v value) { s.Min = r.integer(v, 1, muster.MaxScale, "1") },
			"max": func(v value) { s.Max = r.integer(v, 1, muster.MaxScale, "4") },
		})
		if s.Max > 0 && s.Min > s.Max {
			r.refuse(v, "min = "+strconv.Itoa(s.Max), "%s: min %d is more than max %d", v.path, s.Min, s.Max)
		}
		return s
	}
	r.want(v, expected, example)
	return muster.Scale{}
}

// account reads the name or the number of a user or a group.
func (r *reader) account(v value) string {
	if _, ok := v.data.(int64); ok {
		return strconv.Itoa(r.integer(v, 0, 1<<32-2, "1000"))
	}
	return r.text(v, `"www-data"`)
}
