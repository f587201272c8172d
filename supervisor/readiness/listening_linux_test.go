package readiness_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"muster"
	"muster/supervisor/readiness"
)

var listeningProbe = muster.Probe{Kind: muster.ProbeListening}

// stranger is a process that listens on nothing.
func stranger(t *testing.T) int {
	t.Helper()
	cmd := exec.Command("sleep", "300")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd.Process.Pid
}

func TestListeningBySomeoneOfTheTree(t *testing.T) {
	_, port := listen(t)
	tree := []int{stranger(t), os.Getpid()}
	target := readiness.Target{Port: port, Pids: func() []int { return tree }}
	if err := readiness.Wait(inTime(t), listeningProbe, target); err != nil {
		t.Error(err)
	}
}

func TestListeningIsAskedAgain(t *testing.T) {
	port := closedPort(t)
	var asked atomic.Int32
	target := readiness.Target{Port: port, Pids: func() []int {
		asked.Add(1)
		return []int{os.Getpid()}
	}}
	done := make(chan error, 1)
	ctx := inTime(t)
	go func() { done <- readiness.Wait(ctx, listeningProbe, target) }()
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Skip(err) // somebody else was faster
	}
	defer l.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if asked.Load() != 1 {
		t.Errorf("looked for the owner %d times, before anybody listened", asked.Load())
	}
}

func TestListeningElsewhere(t *testing.T) {
	_, other := listen(t)
	port := closedPort(t)
	err := readiness.Wait(soon(t), listeningProbe, readiness.Target{PID: os.Getpid(), Port: port})
	start := fmt.Sprintf("nothing of its process tree listens on port %d; it listens on ", port)
	if err == nil || !strings.HasPrefix(err.Error(), start) || !strings.Contains(err.Error(), fmt.Sprint(other)) {
		t.Errorf("%v, want %s%d", err, start, other)
	}
}

func TestListeningNowhere(t *testing.T) {
	port := closedPort(t)
	err := readiness.Check(t.Context(), listeningProbe, readiness.Target{PID: stranger(t), Port: port})
	if want := fmt.Sprintf("nothing of its process tree listens on port %d", port); err == nil || err.Error() != want {
		t.Errorf("%v, want %q", err, want)
	}
}

func TestListeningBySomebodyElse(t *testing.T) {
	_, port := listen(t)
	err := readiness.Wait(soon(t), listeningProbe, readiness.Target{PID: stranger(t), Port: port})
	start := fmt.Sprintf("port %d is taken by process %d (", port, os.Getpid())
	if err == nil || !strings.HasPrefix(err.Error(), start) {
		t.Errorf("%v, want %s...", err, start)
	}
}
