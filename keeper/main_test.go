package keeper

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"muster"
)

func TestMain(m *testing.M) {
	// What the shell that runs the tests left open is not the keeper's to answer for.
	for fd := 3; fd < 1024; fd++ {
		syscall.CloseOnExec(fd)
	}
	goleak.VerifyTestMain(m)
}

// patience bounds every wait, far above what any takes on a busy machine.
const patience = 60 * time.Second

func eventually(t testing.TB, what string, yes func() bool) {
	t.Helper()
	if !within(patience, yes) {
		t.Fatalf("waited %s: %s", patience, what)
	}
}

func within(limit time.Duration, yes func() bool) bool {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return true
}

// A record is one call of Sink.Write.
type record struct {
	stream  muster.Stream
	data    string
	partial bool
}

// A memory is a Sink that remembers.
type memory struct {
	maxLine int
	mu      sync.Mutex // guards records
	records []record
}

func (m *memory) MaxLine() int { return m.maxLine }

func (m *memory) Write(stream muster.Stream, _ time.Time, data []byte, partial bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records = append(m.records, record{stream, string(data), partial})
}

func (m *memory) all() []record {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]record(nil), m.records...)
}

// text is everything one stream passed on.
func (m *memory) text(stream muster.Stream) string {
	var b strings.Builder
	for _, r := range m.all() {
		if r.stream == stream {
			b.WriteString(r.data)
		}
	}
	return b.String()
}

// A rig is a running keeper and what it told.
type rig struct {
	*Keeper
	t     testing.TB
	sink  *memory
	mu    sync.Mutex // guards exits
	exits map[string]Exit
	n     int
}

func newRig(t testing.TB, options Options) *rig {
	r := &rig{t: t, sink: &memory{maxLine: 64 << 10}, exits: map[string]Exit{}}
	if options.Sink == nil {
		options.Sink = func(Spec) Sink { return r.sink }
	}
	options.Exited = func(e Exit) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.exits[e.ID] = e
	}
	r.Keeper = New(options)
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() { defer close(ended); r.Run(stop) }()
	t.Cleanup(func() {
		r.endAll()
		close(stop)
		<-ended
	})
	return r
}

// endAll leaves no process and no goroutine behind, however a test ended.
func (r *rig) endAll() {
	inventory, _ := r.Inventory()
	for _, held := range inventory.Processes {
		if err := r.Sweep(held.ID); err != nil {
			r.t.Error(err)
		}
		within(patience, func() bool { return r.Forget(held.ID) == nil })
	}
	for _, name := range inventory.Files {
		r.Drop(name)
	}
}

// start spawns; a test that looks at a command's output uses sh.
func (r *rig) start(spec Spec) Held {
	r.t.Helper()
	r.n++
	if spec.ID == "" {
		spec.ID = fmt.Sprintf("shop/web.1@%d", r.n)
	}
	if spec.Env == nil {
		spec.Env = []string{"PATH=" + os.Getenv("PATH")}
	}
	held, err := r.Spawn(spec, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return held
}

func (r *rig) sh(script string) Held { return r.start(Spec{Argv: []string{"sh", "-c", script}}) }

func (r *rig) exit(id string) (exit Exit, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	exit, ok = r.exits[id]
	return exit, ok
}

// ended waits for a process's end to be told.
func (r *rig) ended(id string) (exit Exit) {
	r.t.Helper()
	eventually(r.t, id+" ends", func() (ok bool) { exit, ok = r.exit(id); return ok })
	return exit
}

// alive reports whether a process exists and is no zombie.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	return len(fields) > 0 && fields[0] != "Z" && fields[0] != "X"
}

// pidIn waits for a process to leave its pid in a file.
func pidIn(t testing.TB, file string) (pid int) {
	t.Helper()
	eventually(t, "a pid in "+filepath.Base(file), func() bool {
		text, _ := os.ReadFile(file)
		if !strings.HasSuffix(string(text), "\n") {
			return false
		}
		pid, _ = strconv.Atoi(strings.TrimSpace(string(text)))
		return pid > 0
	})
	return pid
}

const subreaperMark = "MUSTER_TEST_SUBREAPER"

// asSubreaper runs the rest of a test in a copy of the test binary: a subreaper
// reaps everything, so it must be alone in its process. It returns false in the
// process that is not the copy.
func asSubreaper(t *testing.T) bool {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has subreapers")
	}
	if os.Getenv(subreaperMark) != "" {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	c := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1", "-test.v")
	c.Env = append(os.Environ(), subreaperMark+"=1")
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := c.CombinedOutput()
	_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) // what the copy left, if it failed
	if err != nil {
		t.Fatalf("in a process of its own: %v\n%s", err, out)
	}
	if strings.Contains(string(out), "--- SKIP") {
		t.Skipf("%s", out)
	}
	return false
}
