package cgroup_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/cgroup"
)

// fake is a directory that looks like a group with all controllers.
func fake(t *testing.T, files map[string]string) *cgroup.Group {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		write(t, filepath.Join(dir, name), text)
	}
	write(t, filepath.Join(dir, "cgroup.procs"), files["cgroup.procs"])
	g, err := cgroup.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestLimits(t *testing.T) {
	g := fake(t, map[string]string{"memory.max": "", "cpu.max": "", "pids.max": ""})
	for _, tt := range []struct {
		file string
		err  error
		want string
	}{
		{"memory.max", g.SetMemoryMax(256 << 20), "268435456"},
		{"cpu.max", g.SetCPUMax(1.5), "150000 100000"},
		{"pids.max", g.SetPidsMax(64), "64"},
	} {
		got, _ := os.ReadFile(filepath.Join(g.Path(), tt.file))
		if tt.err != nil || string(got) != tt.want {
			t.Errorf("%s is %q, %v; want %q", tt.file, got, tt.err, tt.want)
		}
	}
}

func TestLimitsTakenAway(t *testing.T) {
	g := fake(t, map[string]string{"memory.max": "1", "cpu.max": "1000 100000", "pids.max": "1"})
	if err := errors.Join(g.SetMemoryMax(0), g.SetCPUMax(0), g.SetPidsMax(0)); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"memory.max": "max", "cpu.max": "max 100000", "pids.max": "max"} {
		if got, _ := os.ReadFile(filepath.Join(g.Path(), file)); string(got) != want {
			t.Errorf("%s is %q, want %q", file, got, want)
		}
	}
}

func TestTinyCPUShareIsTheSmallestPossible(t *testing.T) {
	g := fake(t, map[string]string{"cpu.max": ""})
	if err := g.SetCPUMax(0.0001); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(filepath.Join(g.Path(), "cpu.max")); string(got) != "1000 100000" {
		t.Errorf("cpu.max is %q", got)
	}
}

func TestLimitsWithoutControllers(t *testing.T) {
	g := fake(t, nil)
	_, current := g.MemoryCurrent()
	_, kills := g.OOMKills()
	for _, err := range []error{g.SetMemoryMax(1), g.SetCPUMax(1), g.SetPidsMax(1), current, kills} {
		if !errors.Is(err, cgroup.ErrNoController) || !strings.Contains(err.Error(), g.Path()) {
			t.Errorf("the error is %v", err)
		}
	}
	if _, err := os.Stat(filepath.Join(g.Path(), "memory.max")); err == nil {
		t.Error("a limit was written to a file the kernel did not make")
	}
}

func TestMeasurements(t *testing.T) {
	g := fake(t, map[string]string{
		"memory.current": "4096\n",
		"memory.events":  "low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 1\n",
		"cgroup.events":  "populated 1\nfrozen 0\n",
		"cgroup.procs":   "0\n17\n4711\n",
	})
	if n, err := g.MemoryCurrent(); n != 4096 || err != nil {
		t.Errorf("memory is %d, %v", n, err)
	}
	if n, err := g.OOMKills(); n != 2 || err != nil {
		t.Errorf("%d processes were killed, %v", n, err)
	}
	if populated, err := g.Populated(); !populated || err != nil {
		t.Errorf("populated is %v, %v", populated, err)
	}
	if pids, err := g.Procs(); len(pids) != 2 || pids[0] != 17 || pids[1] != 4711 || err != nil {
		t.Errorf("the processes are %v, %v", pids, err)
	}
}

func TestOpenWhatIsNoGroup(t *testing.T) {
	for _, dir := range []string{t.TempDir(), "/nowhere"} {
		if _, err := cgroup.Open(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("opened %s: %v", dir, err)
		}
	}
}
