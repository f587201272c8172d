package realworld

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"muster"
)

// patience bounds every wait: programs are slow on a busy machine, and a test
// that can not succeed should still end.
const patience = 90 * time.Second

// An installation is a Muster of the test's own, with one app.
type installation struct {
	t    *testing.T
	home string
	dir  string // of the app
}

// newInstallation makes an app of files (name to content). Whatever a test
// leaves running is gone when it ends.
func newInstallation(t *testing.T, files map[string]string) *installation {
	t.Helper()
	root, err := os.MkdirTemp("", "m") // short: a socket's path is limited
	if err != nil {
		t.Fatal(err)
	}
	m := &installation{t: t, home: filepath.Join(root, "h"), dir: filepath.Join(root, "shop")}
	t.Cleanup(func() {
		m.end()
		os.RemoveAll(root)
	})
	for name, content := range files {
		path := filepath.Join(m.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// link puts a file or directory into the app by a symbolic link.
func (m *installation) link(target, name string) {
	m.t.Helper()
	if err := os.Symlink(target, filepath.Join(m.dir, name)); err != nil {
		m.t.Fatal(err)
	}
}

// try runs a muster command in the app's directory.
func (m *installation) try(args ...string) (stdout, stderr string, err error) {
	var out, errs strings.Builder
	c := exec.Command(binary, args...)
	c.Dir, c.Stdout, c.Stderr = m.dir, &out, &errs
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); name != "PORT" && !strings.HasPrefix(name, "MUSTER_") {
			c.Env = append(c.Env, entry)
		}
	}
	c.Env = append(c.Env, "MUSTER_HOME="+m.home)
	err = c.Run()
	return out.String(), errs.String(), err
}

// do is try for commands that must succeed.
func (m *installation) do(args ...string) string {
	m.t.Helper()
	stdout, stderr, err := m.try(args...)
	if err != nil {
		m.t.Fatalf("muster %s: %v\n%s%s%s", strings.Join(args, " "), err, stdout, stderr, m.story())
	}
	return stdout
}

// story is what a failure is explained with.
func (m *installation) story() string {
	events, _, _ := m.try("events")
	lines, _, _ := m.try("logs", "-n", "60")
	return "\n--- events\n" + events + "--- logs\n" + lines
}

// An informed process is one with the PORT it was given, which info tells.
type informed struct {
	muster.Process
	Port int `json:"port"`
}

// process returns what info says of one process.
func (m *installation) process(name string) informed {
	m.t.Helper()
	var list []informed
	if err := json.Unmarshal([]byte(m.do("info", "--json")), &list); err != nil {
		m.t.Fatalf("muster info --json: %v", err)
	}
	for _, p := range list {
		if p.Name == name {
			return p
		}
	}
	m.t.Fatalf("muster info knows no %s: %+v", name, list)
	return informed{}
}

// wait asks again and again until done, and fails with the last reason.
func (m *installation) wait(what string, done func() (reason string)) {
	m.t.Helper()
	reason := ""
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if reason = done(); reason == "" {
			return
		}
	}
	m.t.Fatalf("waited %s in vain until %s: %s%s", patience, what, reason, m.story())
}

// waitLog waits until a process type's log contains every text.
func (m *installation) waitLog(typ string, texts ...string) {
	m.t.Helper()
	m.wait("the log of "+typ+" says all", func() string {
		log := m.do("logs", typ, "-n", "-1", "--raw")
		for _, text := range texts {
			if !strings.Contains(log, text) {
				return "it does not contain " + strconv.Quote(text) + ":\n" + log
			}
		}
		return ""
	})
}

// kill ends a process the hard way and waits for its replacement.
func (m *installation) kill(name string) {
	m.t.Helper()
	before := m.process(name)
	if err := syscall.Kill(before.PID, syscall.SIGKILL); err != nil {
		m.t.Fatalf("kill %s: %v", name, err)
	}
	m.wait(name+" has a replacement", func() string {
		p := m.process(name)
		if p.State != muster.StateUp || p.PID == before.PID {
			return string(p.State) + ": " + p.Reason
		}
		return ""
	})
	p := m.process(name)
	if p.Restarts <= before.Restarts {
		m.t.Errorf("%s: restarts is %d after a kill, and was %d before", name, p.Restarts, before.Restarts)
	}
	if p.LastExit == nil || p.LastExit.Signal != "KILL" {
		m.t.Errorf("%s: last exit is %v, not signal KILL", name, p.LastExit)
	}
}

// nothingLeft checks, after a stop, that neither process nor port is left.
func (m *installation) nothingLeft(ports ...int) {
	m.t.Helper()
	if left := m.marked("MUSTER_APP=shop"); len(left) > 0 {
		m.t.Errorf("processes are left after the stop: %v", left)
	}
	for _, port := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			m.t.Errorf("port is not free after the stop: %v", err)
			continue
		}
		l.Close()
	}
}

// end stops this installation's Muster and kills what it left, which by the
// mark in its environment can be nobody else's.
func (m *installation) end() {
	_, _, _ = m.try("daemon", "stop")
	for _, pid := range m.marked("") {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	for _, pid := range m.keepers() {
		m.t.Errorf("a keeper is left after muster daemon stop: pid %d", pid)
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// marked returns the live processes this installation gave their environment
// to, with one entry more where it is not empty.
func (m *installation) marked(entry string) []int {
	return environs(func(env []string) bool {
		return slices.Contains(env, "NOTIFY_SOCKET="+m.home+"/run/notify.sock") && (entry == "" || slices.Contains(env, entry))
	})
}

func (m *installation) keepers() []int {
	return environs(func(env []string) bool {
		return slices.Contains(env, "MUSTER_HOME="+m.home)
	})
}

// environs finds processes by their environment. A zombie has none.
func environs(match func([]string) bool) (pids []int) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		data, err := os.ReadFile(filepath.Join("/proc", e.Name(), "environ"))
		if err == nil && match(strings.Split(string(data), "\x00")) {
			pids = append(pids, pid)
		}
	}
	return pids
}
