package cgroup_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/cgroup"
)

func TestIsolateMovesTheCaller(t *testing.T) {
	home, err := cgroup.Find()
	if err != nil {
		t.Skip(err)
	}
	back, err := cgroup.Open(home.Path())
	if err != nil {
		t.Fatal(err)
	}
	g := newGroup(t)
	root, err := cgroup.OpenRoot(g.Path())
	if err != nil {
		t.Fatal(err)
	}
	if err := root.Isolate("keeper"); err != nil {
		t.Fatal(err)
	}
	leaf, err := cgroup.Open(filepath.Join(g.Path(), "keeper"))
	if err != nil {
		t.Fatal(err)
	}
	table, _ := os.ReadFile("/proc/self/cgroup")
	if err := back.Add(os.Getpid()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(table), t.Name()+"/keeper\n") {
		t.Errorf("this process was in %s", table)
	}
	if err := leaf.Remove(); err != nil {
		t.Error(err)
	}
}
