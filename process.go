package muster

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Slot names the place a process fills: "web.1" of an app. It outlives the
// operating system's process; sockets, ports and logs belong to the slot.
type Slot struct {
	App  string `json:"app"`
	Type string `json:"type"`
	N    int    `json:"slot"`
}

// Name is the process name Heroku uses: "web.1".
func (s Slot) Name() string { return s.Type + "." + strconv.Itoa(s.N) }

// String is the slot's target: "shop/web.1".
func (s Slot) String() string { return s.App + "/" + s.Name() }

// ParseSlotName splits "web.1" into its type and number.
func ParseSlotName(name string) (typ string, n int, ok bool) {
	typ, number, found := strings.Cut(name, ".")
	n, err := strconv.Atoi(number)
	return typ, n, found && err == nil && n > 0 && ValidTypeName(typ)
}

// A State is what a process is doing. It changes for exactly one recorded
// reason.
type State string

const (
	StateStarting State = "starting" // it runs, but is not ready; or waits for what it depends on
	StateUp       State = "up"
	StateDraining State = "draining" // finishes what it has, takes nothing new
	StateStopping State = "stopping" // was asked to end
	StateDown     State = "down"     // does not run, and should not
	StateBackoff  State = "backoff"  // ended, and waits to be started again
	StateCrashed  State = "crashed"  // ended too often; will not be started again by itself
	StateIdle     State = "idle"     // scaled to zero
)

// Settled reports whether nothing more will happen to the process by itself.
func (s State) Settled() bool {
	return s == StateUp || s == StateDown || s == StateCrashed || s == StateIdle
}

// A Process is one running instance of a process type, as `muster ps --json`
// prints it. Scripts depend on its shape.
type Process struct {
	App           string     `json:"app"`
	Type          string     `json:"type"`
	Slot          int        `json:"slot"`
	Name          string     `json:"name"`
	State         State      `json:"state"`
	Reason        string     `json:"reason"` // why it is in this state, in words
	PID           int        `json:"pid"`    // 0 when nothing runs
	Restarts      int        `json:"restarts"`
	StartedAt     *time.Time `json:"started_at"`
	UptimeSeconds float64    `json:"uptime_seconds"`
	CPUPercent    float64    `json:"cpu_percent"`  // of one core, whole tree
	MemoryBytes   int64      `json:"memory_bytes"` // resident, whole tree
	Ports         []int      `json:"ports"`        // TCP ports the tree listens on
	Release       string     `json:"release"`
	LastExit      *Exit      `json:"last_exit"`
	// Port is the PORT the slot was given. It need not be listened on.
	Port int `json:"-"`
}

// SlotOf returns the slot the process fills.
func (p Process) SlotOf() Slot { return Slot{p.App, p.Type, p.Slot} }

// An Exit is how a process ended.
type Exit struct {
	Code   int       `json:"code"`   // -1 when a signal ended it
	Signal string    `json:"signal"` // "KILL", or "" when it exited by itself
	Reason string    `json:"reason"` // in words: "out of memory", "did not stop within 10s", ...
	At     time.Time `json:"at"`
}

// String says how the process ended: "code 1", "signal KILL (out of memory)".
func (e Exit) String() string {
	s := fmt.Sprintf("code %d", e.Code)
	if e.Signal != "" {
		s = "signal " + e.Signal
	}
	if e.Reason != "" {
		s += " (" + e.Reason + ")"
	}
	return s
}

// ShellCode is the exit code a shell would report: 128+n for a signal.
func (e Exit) ShellCode(signal func(name string) int) int {
	if e.Signal != "" {
		return 128 + signal(e.Signal)
	}
	return e.Code
}
