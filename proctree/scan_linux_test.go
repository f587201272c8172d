package proctree_test

import (
	"bufio"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"muster/proctree"
)

// start runs a shell script that says something once it is as far as the test
// wants it, and kills its whole group when the test ends. It returns the
// script's pid and its first line.
func start(t *testing.T, script string, env ...string) (pid int, said string) {
	t.Helper()
	cmd := exec.Command("sh", "-c", script)
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%s said nothing: %v", script, err)
	}
	return cmd.Process.Pid, strings.TrimSpace(line)
}

func scan(t testing.TB) proctree.Snapshot {
	t.Helper()
	s, err := proctree.Scan()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestScanFindsATree(t *testing.T) {
	pid, said := start(t, `sleep 300 & echo $!; wait`)
	child, err := strconv.Atoi(said)
	if err != nil {
		t.Fatal(err)
	}
	tree := scan(t).Descendants(pid)
	if len(tree) != 2 || tree[0].PID != pid || tree[1].PID != child {
		t.Fatalf("the tree of %d is %+v, want it and %d", pid, tree, child)
	}
	shell := tree[0]
	if shell.PPID != os.Getpid() || shell.PGID != pid || shell.Comm != "sh" || shell.Threads != 1 || shell.RSS <= 0 {
		t.Errorf("the shell is %+v", shell)
	}
	again, ok := proctree.Stat(child)
	if !ok || again.Start != tree[1].Start || again.PPID != pid {
		t.Errorf("Stat(%d) is %+v, %v; the scan said %+v", child, again, ok, tree[1])
	}
}

func TestScanFindsItself(t *testing.T) {
	boot, err := proctree.BootTime()
	if err != nil {
		t.Fatal(err)
	}
	self, ok := scan(t).ByPID(os.Getpid())
	if !ok || self.PPID != os.Getppid() {
		t.Fatalf("this process is %+v, %v", self, ok)
	}
	// The clock of a process's start has steps of 10 ms.
	age := time.Since(self.StartedAt(boot))
	if age < -20*time.Millisecond || age > time.Hour {
		t.Errorf("this process has run for %v", age)
	}
}

func TestSessionKeepsAnOrphan(t *testing.T) {
	_, said := start(t, `setsid sh -c 'sleep 300 & echo $$ $!'`)
	var sid, orphan int
	for i, word := range strings.Fields(said) {
		n, err := strconv.Atoi(word)
		if err != nil {
			t.Fatal(err)
		}
		*[]*int{&sid, &orphan}[i] = n
	}
	t.Cleanup(func() { _ = syscall.Kill(orphan, syscall.SIGKILL) })
	found := false
	for _, p := range scan(t).Session(sid) {
		found = found || p.PID == orphan
	}
	if !found {
		t.Errorf("the session %d has no member %d", sid, orphan)
	}
}

func TestHasEnv(t *testing.T) {
	pid, _ := start(t, `echo up; exec sleep 300`, "MARK=web.1", "OTHER=a=b")
	for _, tt := range []struct {
		entries []string
		want    bool
	}{
		{[]string{"MARK=web.1"}, true},
		{[]string{"MARK=web.1", "OTHER=a=b"}, true},
		{[]string{"MARK=web.1", "OTHER=a"}, false},
		{[]string{"MARK=web"}, false},
		{[]string{"ARK=web.1"}, false},
		{[]string{""}, false},
		{nil, false},
	} {
		if got := proctree.HasEnv(pid, tt.entries...); got != tt.want {
			t.Errorf("HasEnv(%q) is %v", tt.entries, got)
		}
	}
	if proctree.HasEnv(1<<30, "MARK=web.1") {
		t.Error("a process that is not there has an environment")
	}
}

// BenchmarkScan prints what one process of a scan costs beside what opening,
// reading and closing its file with package os does.
func BenchmarkScan(b *testing.B) {
	b.Run("scan", func(b *testing.B) {
		b.ReportAllocs()
		processes := 1
		for b.Loop() {
			processes = scan(b).Len()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*processes), "ns/pid")
	})
	b.Run("os", func(b *testing.B) {
		path := "/proc/" + strconv.Itoa(os.Getpid()) + "/stat"
		for b.Loop() {
			if _, err := os.ReadFile(path); err != nil {
				b.Fatal(err)
			}
		}
	})
}
