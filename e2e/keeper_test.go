package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"muster"
)

// beOrphanMaker daemonizes itself twice, as old daemons do, and leaves its pid:
// a new session, a fork, another new session, and every parent is gone. With
// "stay" it also lives on itself.
func beOrphanMaker(args []string) {
	file, step := args[0], args[1]
	if step == "2" {
		_ = os.WriteFile(file+".new", []byte(strconv.Itoa(os.Getpid())), 0o644)
		_ = os.Rename(file+".new", file)
		select {}
	}
	next := map[string]string{"stay": "1", "1": "2"}[step]
	self, err := os.Executable()
	if err == nil {
		c := exec.Command(self, "e2e:orphan", file, next)
		c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		err = c.Start()
	}
	if err != nil {
		panic(err)
	}
	if step == "stay" {
		awaitTerm()
	}
}

// TestKillKeeper kills the parent of everything: its children go with it, and
// the next Muster brings the same formation back, without the leftovers.
func TestKillKeeper(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, again := range [][]string{{"daemon", "start"}, {"start"}} {
		t.Run(strings.Join(again, " "), func(t *testing.T) {
			m := newMachine(t)
			orphanFile := filepath.Join(m.root, "orphan")
			m.manifest(fmt.Sprintf("name = \"shop\"\n[web]\ncommand = [%[1]q, \"e2e:sleep\"]\nscale = 2\n[legacy]\ncommand = [%[1]q, \"e2e:orphan\", %[2]q, \"stay\"]\nstop_timeout = \"200ms\"\n", self, orphanFile))
			m.run("start")
			m.run("scale", "web=3")
			orphan := m.orphan(orphanFile)
			before := m.ps()
			keeper, daemon := m.keeperPID(), m.daemonPID()
			kill(keeper)
			eventually(t, "keeper and daemon end", func() bool { return !runs(keeper) && !runs(daemon) })
			for name, p := range before {
				eventually(t, name+" ends with its keeper", func() bool { return !runs(p.PID) })
			}
			if !runs(orphan) {
				t.Log("what daemonized itself away ended with the keeper: nothing to sweep")
			}
			if err := os.Remove(orphanFile); err != nil {
				t.Fatal(err)
			}
			m.run(again...)
			m.sameAgain(before)
			eventually(t, "what daemonized itself away is swept", func() bool { return !runs(orphan) })
			if next := m.orphan(orphanFile); next == orphan || !runs(next) {
				t.Errorf("the new legacy.1 left pid %d, the old one %d", next, orphan)
			}
		})
	}
}

// orphan waits for the pid a legacy process leaves.
func (m *machine) orphan(file string) (pid int) {
	m.t.Helper()
	eventually(m.t, "legacy daemonizes itself", func() bool {
		text, _ := os.ReadFile(file)
		pid, _ = strconv.Atoi(string(text))
		return pid > 0
	})
	return pid
}

// sameAgain waits until all that ran runs again, as new processes.
func (m *machine) sameAgain(before map[string]muster.Process) {
	m.t.Helper()
	eventually(m.t, "the same formation comes up", func() bool {
		now := m.ps()
		for name, was := range before {
			if is := now[name]; is.State != "up" || is.PID == was.PID || !runs(is.PID) {
				return false
			}
		}
		return len(now) == len(before)
	})
}

// TestInheritedDescriptors: what the caller's shell has open, such as a lock it
// holds for the time of the command, must not stay open for as long as Muster
// and the processes live.
func TestInheritedDescriptors(t *testing.T) {
	m := newMachine(t)
	m.manifest("name = \"shop\"\n[web]\ncommand = [\"sleep\", \"1000\"]\n")
	lock, err := os.Create(filepath.Join(m.root, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	c := m.command(t.Context(), "start")
	c.ExtraFiles = []*os.File{lock}
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for role, pid := range map[string]int{"keeper": m.keeperPID(), "daemon": m.daemonPID(), "web.1": m.ps()["web.1"].PID} {
		fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		for _, fd := range fds {
			if target, _ := os.Readlink(fd); target == lock.Name() {
				t.Errorf("the %s still has the caller's descriptor open as %s", role, filepath.Base(fd))
			}
		}
	}
	lock.Close()
}

// TestSignalDispositions: what a process finds at birth is what a shell would
// give it. A signal that is ignored at birth can not even be trapped by a shell
// script, and a pipeline whose reader has gone would go on for ever.
func TestSignalDispositions(t *testing.T) {
	m := newMachine(t)
	m.manifest("name = \"shop\"\n[web]\ncommand = [\"sleep\", \"1000\"]\n")
	m.run("start")
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", m.ps()["web.1"].PID))
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"SigIgn:", "SigBlk:"} {
		_, rest, _ := strings.Cut(string(status), field)
		mask, err := strconv.ParseUint(strings.Fields(rest)[0], 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		for sig := syscall.Signal(1); sig < 32; sig++ {
			if mask&(1<<(sig-1)) != 0 {
				t.Errorf("%s a process is born with signal %d (%v)", field, sig, sig)
			}
		}
	}
}
