package keeper

import (
	"syscall"
	"time"

	"muster"
)

// A Spec says what to start and how to hold it. It crosses the protocol as
// JSON.
type Spec struct {
	// ID names the incarnation for as long as the keeper knows it, for example
	// "shop/web.1@17". It is never used twice.
	ID   string   `json:"id"`
	Argv []string `json:"argv"` // Argv[0] is an absolute path, or found on the PATH of Env
	Env  []string `json:"env"`
	Dir  string   `json:"dir"`
	// Note is the daemon's own; the keeper hands it back and never reads it.
	Note string `json:"note,omitempty"`
	// Mark are entries of Env that only processes of this slot have. They tell
	// a daemonized grandchild from a stranger.
	Mark []string `json:"mark,omitempty"`
	// Sockets name kept descriptors that become 3, 4, ... in the process.
	Sockets []string `json:"sockets,omitempty"`
	Session Session  `json:"session,omitempty"`
	// Files says that three descriptors come with the request and become the
	// process's stdin, stdout and stderr. Otherwise stdin is a pipe the keeper
	// holds open, and stdout and stderr go to Log.
	Files bool `json:"files,omitempty"`
	// Discard connects all three to /dev/null (probes).
	Discard bool     `json:"discard,omitempty"`
	Log     LogSpec  `json:"log"`
	Cgroup  string   `json:"cgroup,omitempty"` // directory the process is born into
	UID     *uint32  `json:"uid,omitempty"`
	GID     *uint32  `json:"gid,omitempty"`
	Groups  []uint32 `json:"groups,omitempty"`
	Nice    int      `json:"nice,omitempty"`
	Rlimits []Rlimit `json:"rlimits,omitempty"`
}

// A Session says how a process stands to terminals.
type Session string

const (
	SessionNew        Session = ""           // its own session, no terminal
	SessionTerminal   Session = "terminal"   // its own session; stdin is its controlling terminal
	SessionForeground Session = "foreground" // foreground group of the keeper's own terminal
)

// An Rlimit is one setrlimit(2) call; Max counts for both limits.
type Rlimit struct {
	Resource int    `json:"resource"`
	Max      uint64 `json:"max"`
}

// A LogSpec says where a process's output is kept, and how much of it.
type LogSpec struct {
	Dir          string        `json:"dir,omitempty"` // one slot's; "" means the keeper's Sink
	SegmentBytes int64         `json:"segment_bytes,omitempty"`
	SegmentAge   time.Duration `json:"segment_age,omitempty"`
	// MaxBytes is the most the directory may hold. The keeper removes the
	// oldest segments by itself, so the bound holds while no daemon lives.
	MaxBytes int64 `json:"max_bytes,omitempty"`
}

// An Exit is the end of a process, kept until Forget.
type Exit struct {
	ID     string    `json:"id"`
	Code   int       `json:"code"`   // -1 when Signal is set
	Signal int       `json:"signal"` // 0 when it exited by itself
	At     time.Time `json:"at"`
	MaxRSS int64     `json:"max_rss"` // bytes
	// Left tells that processes it started are still alive.
	Left bool `json:"left"`
}

// A Held is one process the keeper knows.
type Held struct {
	ID        string    `json:"id"`
	PID       int       `json:"pid"`
	StartedAt time.Time `json:"started_at"`
	Note      string    `json:"note,omitempty"`
	Cgroup    string    `json:"cgroup,omitempty"`
	Exit      *Exit     `json:"exit,omitempty"`
}

// An Inventory is everything the keeper holds.
type Inventory struct {
	PID       int       `json:"pid"`
	Version   string    `json:"version"`
	StartedAt time.Time `json:"started_at"`
	Processes []Held    `json:"processes"`
	Files     []string  `json:"files"` // names of kept descriptors
}

// A Scope says who receives a signal.
type Scope string

const (
	ScopeProcess Scope = "process"
	ScopeGroup   Scope = "group" // its process group; once it has ended, what it left behind
)

// A Sink takes lines in place of log segments (muster dev). Calls for one
// process come one at a time.
type Sink interface {
	// Write takes whole lines, each with its newline, or with partial set a
	// piece of one without. Data is only valid during the call.
	Write(stream muster.Stream, at time.Time, data []byte, partial bool)
	// MaxLine is how much of an unfinished line is held back before it is
	// passed on as a piece.
	MaxLine() int
}

func signalNumber(status syscall.WaitStatus) int {
	if status.Signaled() {
		return int(status.Signal())
	}
	return 0
}
