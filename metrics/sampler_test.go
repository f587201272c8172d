package metrics

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"
	"time"

	"muster/proctree"
)

// treeChild makes a re-executed test binary a small process tree that listens.
const treeChild = "METRICS_TEST_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(treeChild) {
	case "parent":
		runParent()
	case "listener":
		runListener()
	}
	os.Exit(m.Run())
}

func runParent() {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), treeChild+"=listener")
	c.Stdin, c.Stdout = os.Stdin, os.Stdout
	_ = c.Run()
	os.Exit(0)
}

// runListener prints its port and ends with its standard input.
func runListener() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		os.Exit(1)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	_, _ = os.Stdout.WriteString(port + "\n")
	_, _ = bufio.NewReader(os.Stdin).ReadByte()
	os.Exit(0)
}

func TestSampleCountsTheWholeTree(t *testing.T) {
	if !proctree.Available() {
		t.Skip("there is no /proc on this machine")
	}
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), treeChild+"=parent")
	stdin, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { stdin.Close(); _ = c.Wait() }()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var s Sampler
	roots := []Root{{Key: "tree", PID: c.Process.Pid, Start: time.Now().Add(-time.Second)}, {Key: "gone", PID: 5_000_000, Start: time.Now()}}
	usage := s.Sample(roots, os.Getpid())
	u := usage["tree"]
	if len(u.PIDs) != 2 || !slices.Contains(u.PIDs, c.Process.Pid) {
		t.Errorf("pids %v, want %d and its child", u.PIDs, c.Process.Pid)
	}
	if len(u.Ports) != 1 || u.Ports[0] == 0 || line != strconv.Itoa(u.Ports[0])+"\n" {
		t.Errorf("ports %v, want %s", u.Ports, line)
	}
	if u.MemoryBytes < 1<<20 {
		t.Errorf("%d bytes of memory in two processes", u.MemoryBytes)
	}
	if g := usage["gone"]; len(g.PIDs) != 0 || g.MemoryBytes != 0 || g.CPUPercent != 0 {
		t.Errorf("what does not exist takes %+v", g)
	}
}

func TestRate(t *testing.T) {
	s := &Sampler{last: map[string]sample{}}
	now := time.Now()
	r := Root{Key: "x", Start: now.Add(-10 * time.Second)}
	steps := []struct {
		at   time.Duration
		cpu  time.Duration
		want float64
	}{
		{0, 5 * time.Second, 50},
		{time.Second, 6 * time.Second, 100},
		{1100 * time.Millisecond, 6100 * time.Millisecond, 55.4}, // too soon for a rate: over its life
		{2 * time.Second, 6 * time.Second, 0},
		{3 * time.Second, time.Second, 0}, // another process of the same name
	}
	for _, step := range steps {
		at := now.Add(step.at)
		got := s.rate(r, step.cpu, at)
		if got < step.want-0.6 || got > step.want+0.6 {
			t.Errorf("at %s: %.1f%%, want %.1f%%", step.at, got, step.want)
		}
		s.last["x"] = s.keep("x", sample{at, step.cpu})
	}
}
