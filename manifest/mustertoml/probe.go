package mustertoml

import (
	"net/url"
	"regexp"

	"muster"
)

// ready reads "listening", "notify" or a table that asks one question.
func (r *reader) ready(v value) *muster.Probe {
	const example = `"listening" or {http = "/health"}`
	p := &muster.Probe{}
	switch v.data.(type) {
	case string:
		if v.data == "message" {
			r.later(v, "ready.message")
			return p
		}
		p.Kind = muster.ProbeKind(r.oneOf(v, "listening", "notify"))
	case map[string]any:
		asked := r.questions(p)
		asked.keys["listening"] = asked.question(muster.ProbeListening, r.listening)
		asked.keys["log"] = asked.question(muster.ProbeLog, r.pattern)
		asked.keys["notify"] = asked.question(muster.ProbeNotify, r.notify)
		asked.read(v, `listening, http, tcp, log, notify or exec`, "ready.message")
	default:
		r.want(v, `"listening", "notify" or a table`, example)
	}
	return p
}

// healthcheck reads a table that asks one question again and again.
func (r *reader) healthcheck(v value) *muster.Probe {
	p := &muster.Probe{}
	if !v.isTable() {
		r.want(v, "a table", `{http = "/health"}`)
		return p
	}
	asked := r.questions(p)
	asked.keys["interval"] = func(v value) { p.Interval = r.duration(v) }
	asked.keys["failures"] = func(v value) { p.Failures = r.integer(v, 1, 1000, "3") }
	asked.read(v, "http, tcp or exec")
	return p
}

// questions are the keys of a probe's table. Exactly one question is asked.
type questions struct {
	r     *reader
	probe *muster.Probe
	keys  keys
	first string
}

// questions starts with what every probe may ask.
func (r *reader) questions(p *muster.Probe) *questions {
	q := &questions{r: r, probe: p}
	q.keys = keys{
		"timeout": func(v value) { p.Timeout = r.duration(v) },
		"http":    q.question(muster.ProbeHTTP, r.http),
		"tcp":     q.question(muster.ProbeTCP, r.tcp),
		"exec":    q.question(muster.ProbeExec, func(v value, p *muster.Probe) { p.Command = r.command(v) }),
	}
	return q
}

// question is the key that asks kind, and refuses to be the second.
func (q *questions) question(kind muster.ProbeKind, read func(value, *muster.Probe)) func(value) {
	return func(v value) {
		if q.first != "" {
			q.r.refuse(v, "one of the two", "%s asks a second question after %q", v.path, q.first)
			return
		}
		q.first, q.probe.Kind = v.key, kind
		read(v, q.probe)
	}
}

func (q *questions) read(v value, choices string, later ...string) {
	before := len(q.r.complaints)
	q.r.table(v, q.keys, later...)
	if q.first == "" && len(q.r.complaints) == before {
		q.r.refuse(v, "one of "+choices, "%s asks no question", v.path)
	}
}

// listening reads true, which means the process's own PORT, or a port.
func (r *reader) listening(v value, p *muster.Probe) {
	if v.data != true {
		p.Port = r.portOr(v, "a port or true")
	}
}

func (r *reader) notify(v value, _ *muster.Probe) {
	if v.data != true {
		r.refuse(v, "true, or removing it", "%s can only be true", v.path)
	}
}

func (r *reader) portOr(v value, expected string) int {
	if _, ok := v.data.(int64); !ok {
		r.want(v, expected, "8080")
		return 0
	}
	return r.port(v)
}

// tcp reads a port or "host:port".
func (r *reader) tcp(v value, p *muster.Probe) {
	text, ok := v.data.(string)
	if !ok {
		p.Port = r.portOr(v, `a port or "host:port"`)
		return
	}
	host, port, ok := splitHostPort(text)
	if !ok {
		r.refuse(v, `"127.0.0.1:5432"`, "%s: %q has no port from 1 to 65535", v.path, text)
		return
	}
	p.Host, p.Port = host, port
}

// http reads "/path" on the process's own PORT, or a whole URL.
func (r *reader) http(v value, p *muster.Probe) {
	const example = `"/health" or "http://127.0.0.1:8080/health"`
	text := r.text(v, example)
	if text == "" {
		return
	}
	u, err := url.Parse(text)
	switch {
	case err != nil, u.User != nil, u.Fragment != "", u.Opaque != "":
		r.refuse(v, example, "%s: %q is not a path or a URL that can be asked", v.path, text)
	case u.Scheme == "https":
		r.refuse(v, `"http://..."`, "%s: https is not supported by this version", v.path)
	case u.Scheme == "" && u.Host == "" && text[0] == '/':
		p.Path = u.RequestURI()
	case u.Scheme == "http" && u.Hostname() != "":
		r.urlProbe(v, u, p)
	default:
		r.refuse(v, example, `%s: %q begins with neither "/" nor "http://"`, v.path, text)
	}
}

func (r *reader) urlProbe(v value, u *url.URL, p *muster.Probe) {
	number := u.Port()
	if number == "" {
		number = "80"
	}
	_, port, ok := splitHostPort(number)
	if !ok {
		r.refuse(v, `"http://127.0.0.1:8080/health"`, "%s: %q has no port from 1 to 65535", v.path, u.Host)
		return
	}
	p.Host, p.Port, p.Path = u.Hostname(), port, u.RequestURI()
}

// pattern reads a regular expression.
func (r *reader) pattern(v value, p *muster.Probe) {
	text := r.text(v, `"listening on"`)
	if _, err := regexp.Compile(text); err != nil {
		r.refuse(v, `a pattern of Go's regexp, like "listening on port \\d+"`, "%s: %v", v.path, err)
		return
	}
	p.Pattern = text
}
