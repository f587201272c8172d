package keeper

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"muster/cgroup"
)

var mark = []string{"MUSTER_APP=shop", "MUSTER_PROCESS=web.1"}

func markedEnv() []string { return append([]string{"PATH=" + os.Getenv("PATH")}, mark...) }

// daemonize is what old daemons do: a new session, a fork, another new
// session, another fork; the last leaves its pid.
func daemonize(file string) string {
	return fmt.Sprintf("setsid sh -c 'setsid sh -c \"echo \\$\\$ > %s; exec sleep 1000\" & exit' &", file)
}

func needSetsid(t *testing.T) {
	if _, err := exec.LookPath("setsid"); err != nil {
		t.Skipf("nothing to daemonize with: %v", err)
	}
}

var groups atomic.Int64 // made so far, for their names

func cgroupFor(t *testing.T) string {
	root, err := cgroup.Find()
	if err != nil {
		t.Skipf("no cgroup v2 that can be written: %v", err)
	}
	group, err := root.Create(fmt.Sprintf("muster-test-%d-%d", os.Getpid(), groups.Add(1)))
	if err != nil {
		t.Skipf("no cgroup can be made: %v", err)
	}
	t.Cleanup(func() {
		if !within(patience, func() bool { return group.Remove() == nil }) {
			t.Errorf("%s is left", group.Path())
		}
	})
	return group.Path()
}

// TestDaemonizedTwice: what a process started is found and ended, whatever it
// did to get away.
func TestDaemonizedTwice(t *testing.T) {
	t.Run("orphans", func(t *testing.T) { daemonizedTwice(t, func(*testing.T) string { return "" }) })
	t.Run("cgroup", func(t *testing.T) { daemonizedTwice(t, cgroupFor) })
}

func daemonizedTwice(t *testing.T, group func(*testing.T) string) {
	needSetsid(t)
	if !asSubreaper(t) {
		return
	}
	var dirs []string // one a process: Linux kills at birth what is born into a group that was killed
	for range 2 {
		dirs = append(dirs, group(t))
	}
	r := newRig(t, Options{Subreaper: true})
	bystander := r.start(Spec{Argv: []string{"sleep", "1000"}, Env: append(markedEnv()[:2], "MUSTER_PROCESS=web.2")})
	for i, end := range []string{"wait; sleep 1000", "exit 7"} {
		t.Run(end, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "pid")
			held := r.start(Spec{Argv: []string{"sh", "-c", daemonize(file) + end}, Env: markedEnv(), Mark: mark, Cgroup: dirs[i]})
			stray := pidIn(t, file)
			if end == "exit 7" {
				if exit := r.ended(held.ID); exit.Code != 7 || !exit.Left {
					t.Errorf("%+v; something was left", exit)
				}
			}
			eventually(t, "the stray's parents are gone", func() bool { return parent(stray) == os.Getpid() })
			tree, err := r.Tree(held.ID)
			if err != nil || !slices.Contains(tree, stray) || slices.Contains(tree, bystander.PID) {
				t.Errorf("tree of %d is %v, %v; the stray is %d", held.PID, tree, err, stray)
			}
			if err := r.Sweep(held.ID); err != nil {
				t.Error(err)
			}
			if alive(stray) {
				t.Error("the stray survived the sweep")
			}
			r.ended(held.ID)
			if tree, err := r.Tree(held.ID); err != nil || len(tree) > 0 {
				t.Errorf("after the sweep: %v, %v", tree, err)
			}
			if err := r.Forget(held.ID); err != nil {
				t.Error(err)
			}
		})
	}
	if !alive(bystander.PID) {
		t.Error("another slot's process was swept away")
	}
}

func parent(pid int) int {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 2 {
		return 0
	}
	ppid, _ := strconv.Atoi(fields[1])
	return ppid
}

// TestClearedEnvironment: a daemon that left its session and cleared its
// environment is still known by the pipe it writes to.
func TestClearedEnvironment(t *testing.T) {
	needSetsid(t)
	if !asSubreaper(t) {
		return
	}
	r := newRig(t, Options{Subreaper: true})
	file := filepath.Join(t.TempDir(), "pid")
	command := fmt.Sprintf("(setsid env -i sh -c 'echo $$ > %s; exec sleep 1000' &); sleep 1000", file)
	held := r.start(Spec{Argv: []string{"sh", "-c", command}, Env: markedEnv(), Mark: mark})
	stray := pidIn(t, file)
	if err := r.Sweep(held.ID); err != nil {
		t.Error(err)
	}
	if alive(stray) {
		t.Error("the stray survived the sweep")
	}
	r.ended(held.ID)
}

// TestSignalGroupAfterEnd reaches what a process left behind.
func TestSignalGroupAfterEnd(t *testing.T) {
	needSetsid(t)
	if !asSubreaper(t) {
		return
	}
	r := newRig(t, Options{Subreaper: true})
	file := filepath.Join(t.TempDir(), "pid")
	held := r.start(Spec{Argv: []string{"sh", "-c", daemonize(file) + "exit 0"}, Env: markedEnv(), Mark: mark})
	stray := pidIn(t, file)
	r.ended(held.ID)
	if err := r.Signal(held.ID, syscall.SIGTERM, ScopeGroup); err != nil {
		t.Error(err)
	}
	eventually(t, "the stray ends", func() bool { return !alive(stray) })
}

// TestNoisyStray: something left behind that writes without a pause must not
// hold up the news of its parent's end, nor that of anybody else.
func TestNoisyStray(t *testing.T) {
	if !asSubreaper(t) {
		return
	}
	logs := t.TempDir() // outlives the rig
	r := newRig(t, Options{Subreaper: true})
	log := LogSpec{Dir: filepath.Join(logs, "web.1"), SegmentBytes: 1 << 20, MaxBytes: 4 << 20}
	noisy := r.start(Spec{Argv: []string{"sh", "-c", "yes & exit 5"}, Env: markedEnv(), Mark: mark, Log: log})
	quiet := r.start(Spec{Argv: []string{"true"}})
	told := within(patience/4, func() bool {
		_, first := r.exit(noisy.ID)
		_, second := r.exit(quiet.ID)
		return first && second
	})
	if !told {
		t.Error("while a stray writes without a pause, no end is told: neither its parent's nor any other's")
		killMarked(t)
	}
	if exit := r.ended(noisy.ID); told && !exit.Left {
		t.Errorf("%+v; something was left", exit)
	}
	r.ended(quiet.ID)
}

// killMarked ends the orphans of this process that carry the mark, so that a
// test that failed can end.
func killMarked(t *testing.T) {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		pid, _ := strconv.Atoi(filepath.Base(dir))
		env, _ := os.ReadFile(filepath.Join(dir, "environ"))
		if parent(pid) == os.Getpid() && strings.Contains(string(env), mark[0]) {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Log(err)
			}
		}
	}
}

// TestKeeperDies: with the keeper killed, its direct children die.
func TestKeeperDies(t *testing.T) {
	const helper = "MUSTER_TEST_DIES"
	if dir := os.Getenv(helper); dir != "" {
		r := newRig(t, Options{Subreaper: true})
		for _, name := range []string{"one", "two"} {
			r.sh(fmt.Sprintf("echo $$ > %s; exec sleep 1000", filepath.Join(dir, name)))
		}
		select {}
	}
	dir := t.TempDir()
	c := exec.Command(os.Args[0], "-test.run=^TestKeeperDies$")
	c.Env = append(os.Environ(), helper+"="+dir)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	pids := []int{pidIn(t, filepath.Join(dir, "one")), pidIn(t, filepath.Join(dir, "two"))}
	if err := c.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = c.Wait()
	for _, pid := range pids {
		eventually(t, "a child dies with its keeper", func() bool { return !alive(pid) })
	}
}
