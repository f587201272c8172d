package cgroup

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// hierarchy is a directory that looks like a mounted hierarchy, and its line
// in mountinfo.
func hierarchy(t *testing.T, options string) (dir, line string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir, fmt.Sprintf("30 22 0:26 / %s %s - cgroup2 cgroup2 rw\n", dir, options)
}

func TestFindTakesTheFirstThatWorks(t *testing.T) {
	_, readOnly := hierarchy(t, "ro")
	dir, line := hierarchy(t, "rw")
	r, err := find(readOnly+line, "0::/\n")
	if err != nil || r.Path() != dir {
		t.Fatalf("found %v, %v; want %s", r, err, dir)
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 1 {
		t.Errorf("the trial left %v", entries)
	}
}

func TestFindSaysWhyNot(t *testing.T) {
	_, readOnly := hierarchy(t, "ro")
	_, line := hierarchy(t, "rw")
	for _, tt := range []struct{ mountinfo, membership, want string }{
		{"", "0::/\n", "not mounted"},
		{line, "4:memory:/x\n", "not mounted"},
		{readOnly, "0::/\n", "read-only"},
		{line, "0::/../other\n", "does not show /../other"},
		{line, "0::/gone (deleted)\n", "was removed"},
		{line, "0::/elsewhere\n", "no such file"},
	} {
		_, err := find(tt.mountinfo, tt.membership)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q in %q: %v, want %q", tt.membership, tt.mountinfo, err, tt.want)
		}
	}
}
