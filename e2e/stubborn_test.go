package e2e

import (
	"fmt"
	"os"
	"testing"
)

// stubborn is a program that has to be killed: what sweeps it away must not
// harm what takes its place.
const stubborn = "name = \"shop\"\n[web]\ncommand = \"trap '' TERM; while :; do sleep 1; done\"\nstop_timeout = \"200ms\"\n"

// TestStartAfterKill starts a process in the place of one that had to be killed.
func TestStartAfterKill(t *testing.T) {
	m := newMachine(t)
	m.manifest(stubborn)
	m.run("start")
	for range 3 {
		m.run("stop", "web")
		m.run("start", "shop")
		if p := m.ps()["web.1"]; p.State != "up" || p.Restarts != 0 || !runs(p.PID) {
			t.Fatalf("web.1 is %s (%s) after %d restarts; its last end: %v", p.State, p.Reason, p.Restarts, p.LastExit)
		}
	}
}

// TestReloadPastStubborn replaces a process that has to be killed: its
// successor, which runs beside it, stays.
func TestReloadPastStubborn(t *testing.T) {
	if _, err := os.Stat("/sys/fs/cgroup"); err != nil {
		t.Skipf("no control groups: %v", err)
	}
	m := newMachine(t)
	m.manifest(stubborn + fmt.Sprintf("sockets = [\"tcp:127.0.0.1:%d\"]\n", freePort()))
	m.run("start")
	for range 3 {
		old := m.ps()["web.1"]
		m.run("reload", "web")
		eventually(t, "the old process ends", func() bool { return !runs(old.PID) })
		// The successor's end would show as a restart beyond the reload's own.
		if p := m.ps()["web.1"]; p.State != "up" || p.Restarts != old.Restarts+1 || !runs(p.PID) {
			t.Fatalf("web.1 is %s (%s) after %d restarts, it was at %d; its last end: %v", p.State, p.Reason, p.Restarts, old.Restarts, p.LastExit)
		}
	}
}
