package cgroup_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/cgroup"
)

func fakeRoot(t *testing.T, files map[string]string) *cgroup.Root {
	t.Helper()
	r, err := cgroup.OpenRoot(fake(t, files).Path())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCreateMakesParents(t *testing.T) {
	r := fakeRoot(t, nil)
	for range 2 { // the second time it is there already
		g, err := r.Create("muster-1f3a/shop.web.1")
		if err != nil {
			t.Fatal(err)
		}
		if want := filepath.Join(r.Path(), "muster-1f3a", "shop.web.1"); g.Path() != want {
			t.Errorf("the group is at %s, want %s", g.Path(), want)
		}
	}
}

func TestCreateRefusesNames(t *testing.T) {
	r := fakeRoot(t, nil)
	for _, name := range []string{"", ".", "..", "../x", "/x", "a//b", "a/../b", "a/"} {
		if g, err := r.Create(name); err == nil {
			t.Errorf("%q was made at %s", name, g.Path())
		}
	}
}

func TestControllers(t *testing.T) {
	r := fakeRoot(t, map[string]string{"cgroup.subtree_control": "cpu memory\n"})
	if diff := cmp.Diff([]string{"cpu", "memory"}, r.Controllers()); diff != "" {
		t.Errorf("controllers (-want +got):\n%s", diff)
	}
}

// The leaf of a fake root has no cgroup.procs, so that moving into it fails.
func TestIsolateLeavesNothingWhenItCanNotMove(t *testing.T) {
	r := fakeRoot(t, map[string]string{"cgroup.controllers": "cpu"})
	err := r.Isolate("keeper")
	if err == nil || !strings.Contains(err.Error(), "keeper") {
		t.Errorf("isolated: %v", err)
	}
	if _, err := os.Stat(filepath.Join(r.Path(), "keeper")); err == nil {
		t.Error("the leaf is left")
	}
}
