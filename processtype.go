package muster

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// A ProcessType is a named command of an app, and how its processes are to be
// started, watched and stopped. The zero value of every field but Name and
// Command means the documented default; WithDefaults fills them in.
type ProcessType struct {
	Name    string  `json:"name"`
	Command Command `json:"command"`
	// Pos is where the manifest names the type, for complaints.
	Pos   Position `json:"-"`
	Scale Scale    `json:"scale"`
	// Cwd is the absolute directory the command runs in. Default: App.Dir.
	Cwd string `json:"cwd,omitempty"`
	// Env is added over the app's own environment.
	Env Env `json:"env,omitempty"`
	// Port, when not 0, replaces the computed port of slot 1; slot n gets
	// Port+n-1.
	Port      int          `json:"port,omitempty"`
	Sockets   []Socket     `json:"sockets,omitempty"`
	DependsOn []Dependency `json:"depends_on,omitempty"`
	// Ready says when a started process counts as up. Nil: as soon as it runs.
	Ready *Probe `json:"ready,omitempty"`
	// Healthcheck is asked again and again while the process is up. Nil: never.
	Healthcheck *Probe  `json:"healthcheck,omitempty"`
	Restart     Restart `json:"restart"`
	Stop        Stop    `json:"stop"`
	Watch       Watch   `json:"watch"`
	Log         Log     `json:"log"`
	Limits      Limits  `json:"limits"`
	// User and Group are names or numbers. Only a Muster run by root can
	// honour them.
	User  string `json:"user,omitempty"`
	Group string `json:"group,omitempty"`
}

// OneShot reports whether the type belongs to a deploy and not to the
// formation: "release" (Heroku) and "postdeploy" (Dokku) never run in dev or
// start.
func (t *ProcessType) OneShot() bool { return t.Name == "release" || t.Name == "postdeploy" }

// A Command is either a line for the shell or an argument vector that no shell
// sees. Exactly one of the two is set.
type Command struct {
	Shell string   `json:"shell,omitempty"`
	Argv  []string `json:"argv,omitempty"`
}

// IsZero reports whether no command is given.
func (c Command) IsZero() bool { return c.Shell == "" && len(c.Argv) == 0 }

// String prints the command as a person would type it into a shell.
func (c Command) String() string {
	if len(c.Argv) == 0 {
		return c.Shell
	}
	words := make([]string, len(c.Argv))
	for i, w := range c.Argv {
		words[i] = ShellQuote(w)
	}
	return strings.Join(words, " ")
}

// ShellQuote returns word so that a POSIX shell reads it back unchanged.
func ShellQuote(word string) string {
	const safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-"
	if word != "" && strings.Trim(word, safe) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// A Scale says how many processes of a type run.
type Scale struct {
	// N is the number of processes; 0 is allowed and means none.
	N int `json:"n"`
	// Auto means one process a CPU. Min and Max bound it where they are set.
	Auto bool `json:"auto,omitempty"`
	Min  int  `json:"min,omitempty"`
	Max  int  `json:"max,omitempty"`
	// Set tells a scale that was written from one that is the default of 1.
	Set bool `json:"set,omitempty"`
}

// MaxScale bounds the processes of one type: beyond it foreman's port scheme
// would run one type's ports into the next, and a typo would eat the machine.
const MaxScale = 1000

// Count returns the number of processes the scale means on this machine.
func (s Scale) Count() int {
	if !s.Set {
		return 1
	}
	if !s.Auto {
		return s.N
	}
	n := runtime.NumCPU()
	if s.Max > 0 {
		n = min(n, s.Max)
	}
	return max(n, s.Min, 1)
}

// A Duration is a time.Duration that reads and writes itself as "1m30s".
type Duration time.Duration

// String leaves out zero parts: "1m", not "1m0s".
func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a duration; write a number and a unit, like 10s or 1m30s", text)
	}
	*d = Duration(v)
	return nil
}

// A Socket is a listening socket a process type asks for. Muster opens it once
// and every process of the type receives it the way systemd passes sockets.
type Socket struct {
	// Name is what LISTEN_FDNAMES says. Default: the process type's name.
	Name string `json:"name"`
	// Network is tcp, tcp4, tcp6, udp, udp4, udp6 or unix.
	Network string `json:"network"`
	// Address is host:port (an empty host means every address) or a path.
	Address string `json:"address"`
}

func (s Socket) String() string { return s.Network + ":" + s.Address }

// A Dependency holds a process type's start back until another type has come
// as far as Condition says.
type Dependency struct {
	Type      string    `json:"type"`
	Condition Condition `json:"condition"`
}

// A Condition is how far a dependency must have come, in the words of Docker
// Compose.
type Condition string

const (
	ConditionStarted   Condition = "started"   // a process runs
	ConditionReady     Condition = "ready"     // every process is up by its own probe (default)
	ConditionCompleted Condition = "completed" // every process ended with code 0
)

// A Probe is a question whose answer tells whether a process can do its work.
type Probe struct {
	Kind ProbeKind `json:"kind"`
	// Port is asked by "listening", "http" and "tcp". 0 means the process's PORT.
	Port int `json:"port,omitempty"`
	// Host is asked by "http" and "tcp". Default 127.0.0.1.
	Host string `json:"host,omitempty"`
	// Path is asked by "http". Default "/". Answers 200 to 399 are good.
	Path string `json:"path,omitempty"`
	// Pattern is the regular expression "log" looks for in a line (RE2).
	Pattern string `json:"pattern,omitempty"`
	// Command is run by "exec" in the process's environment; exit code 0 is good.
	Command Command `json:"command,omitzero"`
	// Timeout is how long a process may take to become ready before it is
	// replaced (ready, default 60 s), or one question may take (healthcheck,
	// default 5 s).
	Timeout Duration `json:"timeout,omitempty"`
	// Interval is the pause between questions of a healthcheck. Default 10 s.
	Interval Duration `json:"interval,omitempty"`
	// Failures in a row before a healthcheck replaces the process. Default 3.
	Failures int `json:"failures,omitempty"`
}

// A ProbeKind says what a probe asks.
type ProbeKind string

const (
	ProbeListening ProbeKind = "listening" // a process of the tree listens on Port
	ProbeHTTP      ProbeKind = "http"
	ProbeTCP       ProbeKind = "tcp"
	ProbeLog       ProbeKind = "log"
	ProbeNotify    ProbeKind = "notify" // READY=1, systemd's sd_notify
	ProbeMessage   ProbeKind = "message"
	ProbeExec      ProbeKind = "exec"
)

// Restart says what follows the end of a process.
type Restart struct {
	Mode    RestartMode `json:"mode"`
	Backoff Backoff     `json:"backoff"`
	// MaxRestarts within Within make a process "crashed". N 0 means no limit.
	MaxRestarts MaxRestarts `json:"max_restarts"`
}

// A RestartMode is systemd's Restart= in three words.
type RestartMode string

const (
	RestartAlways    RestartMode = "always"     // whatever the exit code, as Heroku does (default)
	RestartOnFailure RestartMode = "on-failure" // not after exit code 0
	RestartNever     RestartMode = "never"
)

// Backoff is the pause before restarts: none before the first, then Initial,
// doubling up to Max, each with up to 20 % of jitter.
type Backoff struct {
	Initial Duration `json:"initial"` // default 100ms
	Max     Duration `json:"max"`     // default 5m
}

// MaxRestarts bounds restarts: N within the last Within.
type MaxRestarts struct {
	N      int      `json:"n"`
	Within Duration `json:"within"` // default 1m when N is set
}

// Stop says how a process is asked to end.
type Stop struct {
	Signal  string   `json:"signal"`  // default TERM, sent to the whole process group
	Timeout Duration `json:"timeout"` // default 10s, then KILL to the whole tree
	// Command, when set, is run in place of the signal (like docker stop or
	// nginx -s quit), in the process's environment with PID set.
	Command Command `json:"command,omitzero"`
}

// Watch restarts a process type when files change.
type Watch struct {
	Enabled bool     `json:"enabled,omitempty"`
	Paths   []string `json:"paths,omitempty"`  // default: the type's Cwd
	Ignore  []string `json:"ignore,omitempty"` // globs, "**" allowed, on top of the built-in ones
	Delay   Duration `json:"delay,omitempty"`  // quiet time before the restart, default 200ms
}

// Log bounds what is kept of a process's output.
type Log struct {
	MaxSize  Bytes    `json:"max_size"`  // of one segment, default 10MB
	MaxAge   Duration `json:"max_age"`   // of one segment before it is rotated, default 24h
	Keep     int      `json:"keep"`      // segments a slot, default 10
	Compress bool     `json:"compress"`  // zstd for segments no longer written to, default true
	MaxTotal Bytes    `json:"max_total"` // of the whole type on disk, default MaxSize*Keep a slot
}

// Limits bound what a process may take.
type Limits struct {
	Memory  Bytes             `json:"memory,omitempty"` // needs cgroup v2
	CPU     float64           `json:"cpu,omitempty"`    // cores; needs cgroup v2
	Nice    int               `json:"nice,omitempty"`
	Rlimits map[string]uint64 `json:"rlimits,omitempty"` // by ulimit name: nofile, nproc, core, ...; ^uint64(0) is unlimited
}

// Bytes is a size. It reads and writes itself as "10MB"; units are powers of
// 1024, as PM2 and Docker count.
type Bytes int64

var byteUnits = []struct {
	suffix string
	size   Bytes
}{{"TB", 1 << 40}, {"GB", 1 << 30}, {"MB", 1 << 20}, {"KB", 1 << 10}, {"T", 1 << 40}, {"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10}, {"B", 1}, {"", 1}}

// ParseBytes reads a size like "512K", "10MB" or "1.5G".
func ParseBytes(text string) (Bytes, error) {
	upper := strings.ToUpper(strings.TrimSpace(text))
	for _, u := range byteUnits {
		number, ok := strings.CutSuffix(upper, u.suffix)
		if !ok {
			continue
		}
		number = strings.TrimSpace(number)
		v, err := strconv.ParseFloat(number, 64)
		if err != nil || strings.Trim(number, "0123456789.") != "" || v*float64(u.size) > 1<<60 {
			break
		}
		return Bytes(v * float64(u.size)), nil
	}
	return 0, fmt.Errorf("%q is not a size; write a number and a unit, like 512K, 10MB or 1.5G", text)
}

func (b Bytes) String() string {
	for _, u := range byteUnits[:4] {
		if b >= u.size {
			if b%u.size == 0 {
				return fmt.Sprintf("%d%s", b/u.size, u.suffix)
			}
			return fmt.Sprintf("%.1f%s", float64(b)/float64(u.size), u.suffix)
		}
	}
	return fmt.Sprintf("%dB", int64(b))
}

// MarshalJSON writes the plain number of bytes: programs compute with it.
func (b Bytes) MarshalJSON() ([]byte, error) { return json.Marshal(int64(b)) }

// WithDefaults returns t with every unset field at its documented default.
func (t ProcessType) WithDefaults(a *App) ProcessType {
	setDefault(&t.Cwd, a.Dir)
	setDefault(&t.Restart.Mode, RestartAlways)
	setDefault(&t.Restart.Backoff.Initial, Duration(100*time.Millisecond))
	setDefault(&t.Restart.Backoff.Max, Duration(5*time.Minute))
	if t.Restart.MaxRestarts.N > 0 {
		setDefault(&t.Restart.MaxRestarts.Within, Duration(time.Minute))
	}
	setDefault(&t.Stop.Signal, "TERM")
	setDefault(&t.Stop.Timeout, Duration(10*time.Second))
	setDefault(&t.Watch.Delay, Duration(200*time.Millisecond))
	setDefault(&t.Log.MaxSize, 10<<20)
	setDefault(&t.Log.MaxAge, Duration(24*time.Hour))
	setDefault(&t.Log.Keep, 10)
	t.Ready = t.Ready.withDefaults(60 * time.Second)
	t.Healthcheck = t.Healthcheck.withDefaults(5 * time.Second)
	return t
}

func (p *Probe) withDefaults(timeout time.Duration) *Probe {
	if p == nil {
		return nil
	}
	q := *p
	setDefault(&q.Timeout, Duration(timeout))
	setDefault(&q.Interval, Duration(10*time.Second))
	setDefault(&q.Failures, 3)
	setDefault(&q.Host, "127.0.0.1")
	setDefault(&q.Path, "/")
	return &q
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
