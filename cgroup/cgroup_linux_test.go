package cgroup_test

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/cgroup"
)

// newGroup makes a real group, or skips the test where none can be made.
func newGroup(t *testing.T) *cgroup.Group {
	t.Helper()
	root, err := cgroup.Find()
	if err != nil {
		t.Skip(err)
	}
	parent := "muster-test-" + strconv.Itoa(os.Getpid())
	g, err := root.Create(parent + "/" + t.Name())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(g.Kill(), g.Remove(), os.Remove(filepath.Dir(g.Path()))); err != nil {
			t.Error(err)
		}
	})
	return g
}

// daemonize runs, inside the group, a program that leaves its parent, its
// session and its process group, and returns its pid once it has.
func daemonize(t *testing.T, g *cgroup.Group) int {
	t.Helper()
	dir, err := g.Dir()
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	cmd := exec.Command("sh", "-c", `setsid sh -c 'sleep 300 & echo $!'`)
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(dir.Fd())}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestKillReachesADaemon(t *testing.T) {
	g := newGroup(t)
	pid := daemonize(t, g)
	pids, err := g.Procs()
	if diff := cmp.Diff([]int{pid}, pids); diff != "" || err != nil {
		t.Fatalf("processes (-want +got), %v:\n%s", err, diff)
	}
	if populated, err := g.Populated(); !populated || err != nil {
		t.Errorf("populated is %v, %v", populated, err)
	}
	if err := g.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := g.WaitEmpty(within(t)); err != nil {
		t.Fatal(err)
	}
	if pids, err := g.Procs(); len(pids) > 0 || err != nil {
		t.Errorf("left are %v, %v", pids, err)
	}
}

func TestRemoveWaitsForTheKilled(t *testing.T) {
	g := newGroup(t)
	daemonize(t, g)
	if err := g.Kill(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // removing twice is no error
		if err := g.Remove(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := cgroup.Open(g.Path()); err == nil {
		t.Error("the group is still there")
	}
	if err := g.WaitEmpty(within(t)); err != nil {
		t.Errorf("a removed group is not empty: %v", err)
	}
}

func TestRemoveLeavesGroupsOfOthers(t *testing.T) {
	g := newGroup(t)
	below := filepath.Join(g.Path(), "theirs")
	if err := os.Mkdir(below, 0o755); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(below)
	if err := g.Remove(); err == nil || !strings.Contains(err.Error(), "theirs") {
		t.Errorf("removed: %v", err)
	}
}

func TestWaitEmptyEndsWithItsContext(t *testing.T) {
	g := newGroup(t)
	daemonize(t, g)
	ctx, cancel := context.WithCancelCause(context.Background())
	stop := errors.New("no longer asked")
	cancel(stop)
	if err := g.WaitEmpty(ctx); !errors.Is(err, stop) {
		t.Errorf("waited: %v", err)
	}
}

func TestProcsOfGroupsBelow(t *testing.T) {
	g := newGroup(t)
	pid := daemonize(t, g)
	below := filepath.Join(g.Path(), "theirs")
	if err := os.Mkdir(below, 0o755); err != nil {
		t.Fatal(err)
	}
	inner, err := cgroup.Open(below)
	if err != nil {
		t.Fatal(err)
	}
	if err := inner.Add(pid); err != nil {
		t.Fatal(err)
	}
	pids, err := g.Procs()
	if diff := cmp.Diff([]int{pid}, pids); diff != "" || err != nil {
		t.Errorf("processes (-want +got), %v:\n%s", err, diff)
	}
	if err := errors.Join(g.Kill(), inner.Remove()); err != nil {
		t.Error(err)
	}
}
