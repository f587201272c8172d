package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"muster"
	"muster/home"
)

// A machine is one home, with the Muster that may run in it.
type machine struct {
	t    testing.TB
	root string // of everything; short, for the sockets' sake
	home string
	app  string // the app's directory
}

func newMachine(t testing.TB) *machine {
	root, err := os.MkdirTemp("", "m")
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t, root: root, home: filepath.Join(root, "h"), app: filepath.Join(root, "shop")}
	if err := os.Mkdir(m.app, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.takeDown)
	return m
}

func (m *machine) manifest(text string) {
	m.t.Helper()
	if err := os.WriteFile(filepath.Join(m.app, "muster.toml"), []byte(text), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

// An outcome is what a command came to.
type outcome struct {
	out, err string
	code     int
}

func (m *machine) command(ctx context.Context, args ...string) *exec.Cmd {
	return m.commandOf(ctx, binary, args...)
}

func (m *machine) commandOf(ctx context.Context, program string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, program, args...)
	c.Dir = m.app
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "MUSTER_") && !strings.HasPrefix(entry, "PORT=") {
			c.Env = append(c.Env, entry)
		}
	}
	c.Env = append(c.Env, "MUSTER_HOME="+m.home)
	c.WaitDelay = 5 * time.Second
	return c
}

// try runs a command; one that hangs counts as failed.
func (m *machine) try(args ...string) outcome {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var out, errOut bytes.Buffer
	c := m.command(ctx, args...)
	c.Stdout, c.Stderr = &out, &errOut
	o := outcome{}
	if err := c.Run(); err != nil {
		o.code = -1
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			o.code = exit.ExitCode()
		}
	}
	o.out, o.err = out.String(), errOut.String()
	if ctx.Err() != nil {
		o.err += "\n(gave no answer within " + patience.String() + ")"
	}
	return o
}

// run runs a command that must work.
func (m *machine) run(args ...string) string {
	m.t.Helper()
	o := m.try(args...)
	if o.code != 0 {
		m.t.Fatalf("muster %s: code %d\n%s%s\n%s", strings.Join(args, " "), o.code, o.out, o.err, m.said())
	}
	return o.out
}

// said is what Muster's own log ends with: the place to look when a test fails.
func (m *machine) said() string {
	var b strings.Builder
	files, _ := filepath.Glob(filepath.Join(m.home, "logs", "muster", "daemon.1", "*.log"))
	files = append(files, filepath.Join(m.home, "run", "keeper.log"))
	for _, name := range files[max(0, len(files)-3):] {
		text, _ := os.ReadFile(name)
		b.Write(text[max(0, len(text)-3000):])
	}
	return b.String()
}

// ps asks for all processes, by name.
func (m *machine) ps() map[string]muster.Process {
	m.t.Helper()
	var list []muster.Process
	if err := json.Unmarshal([]byte(m.run("ps", "--json")), &list); err != nil {
		m.t.Fatal(err)
	}
	byName := map[string]muster.Process{}
	for _, p := range list {
		byName[p.Name] = p
	}
	return byName
}

// keeperPID reads the lock, as the keeper wrote it; 0 when none lives.
func (m *machine) keeperPID() int {
	text, _ := os.ReadFile(filepath.Join(m.home, "run", "keeper.lock"))
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	if pid > 1 && runs(pid) && strings.Contains(commandLine(pid), "keeper") {
		return pid
	}
	return 0
}

// daemonPID finds the living daemon without asking it; 0 when there is none.
func (m *machine) daemonPID() int {
	keeper := m.keeperPID()
	if keeper == 0 {
		return 0
	}
	for _, pid := range children(keeper) {
		if strings.HasSuffix(commandLine(pid), "daemon serve ") && runs(pid) {
			return pid
		}
	}
	return 0
}

// takeDown ends whatever of this machine still runs, however the test ended.
func (m *machine) takeDown() {
	if m.t.Failed() {
		m.t.Logf("Muster's own log ends with:\n%s", m.said())
	}
	if keeper := m.keeperPID(); keeper != 0 {
		m.try("daemon", "stop")
		kill(m.keeperPID())
	}
	mark := "NOTIFY_SOCKET=" + home.Home(m.home).NotifySocket()
	within(10*time.Second, func() bool {
		left := append(marked(mark), marked("MUSTER_HOME="+m.home)...)
		for _, pid := range left {
			kill(pid)
		}
		return len(left) == 0
	})
	m.removeGroups()
	if err := os.RemoveAll(m.root); err != nil {
		m.t.Error(err)
	}
}

// removeGroups removes the control groups that were made for this home.
func (m *machine) removeGroups() {
	sum := sha256.Sum256([]byte(m.home))
	name := "muster-" + hex.EncodeToString(sum[:4])
	for _, pattern := range []string{"/sys/fs/cgroup/" + name, "/sys/fs/cgroup/*/" + name, "/sys/fs/cgroup/*/*/" + name} {
		groups, _ := filepath.Glob(pattern)
		for _, group := range groups {
			inner, _ := filepath.Glob(group + "/*/")
			for _, dir := range append(inner, group) {
				_ = os.Remove(dir)
			}
		}
	}
}
