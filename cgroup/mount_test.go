package cgroup

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseMounts(t *testing.T) {
	const mountinfo = `22 1 0:21 / /proc rw,nosuid - proc proc rw
30 22 0:26 / /sys/fs/cgroup rw,nosuid,nodev shared:4 - cgroup2 cgroup2 rw,nsdelegate
31 22 0:27 / /sys/fs/cgroup/memory rw shared:5 master:2 - cgroup cgroup rw,memory
32 22 0:28 /docker/4f /mnt/a\040b ro,nosuid - cgroup2 cgroup rw
33 22 0:29 / /c rw - cgroup2 none ro
torn line
`
	want := []mount{
		{root: "/", dir: "/sys/fs/cgroup"},
		{root: "/docker/4f", dir: "/mnt/a b", readOnly: true},
		{root: "/", dir: "/c", readOnly: true},
	}
	if diff := cmp.Diff(want, parseMounts(mountinfo), cmp.AllowUnexported(mount{})); diff != "" {
		t.Errorf("mounts (-want +got):\n%s", diff)
	}
}

func TestParseMembership(t *testing.T) {
	for table, want := range map[string]string{
		"0::/system.slice/muster.service\n":           "/system.slice/muster.service",
		"4:memory:/docker/4f\n1:name=systemd:/\n0::/": "/",
		"4:memory:/docker/4f\n":                       "",
		"":                                            "",
	} {
		if got, ok := parseMembership(table); got != want || ok != (want != "") {
			t.Errorf("%q means %q, %v; want %q", table, got, ok, want)
		}
	}
}

func TestLocate(t *testing.T) {
	for _, tt := range []struct{ root, group, want string }{
		{"/", "/", "/sys/fs/cgroup"},
		{"/", "/user.slice/a", "/sys/fs/cgroup/user.slice/a"},
		{"/docker/4f", "/docker/4f", "/sys/fs/cgroup"},
		{"/docker/4f", "/docker/4f/x", "/sys/fs/cgroup/x"},
		{"/docker/4f", "/docker/4f0", ""},
		{"/docker/4f", "/", ""},
		{"/", "/../other", ""},
	} {
		m := mount{root: tt.root, dir: "/sys/fs/cgroup"}
		if got, ok := m.locate(tt.group); got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s in a mount of %s is at %q, %v; want %q", tt.group, tt.root, got, ok, tt.want)
		}
	}
}

func FuzzParseMounts(f *testing.F) {
	f.Add(`32 22 0:28 /docker/4f /mnt/a\040b ro,nosuid - cgroup2 cgroup rw`)
	f.Add(`1 2 3 4 5\ 6 - cgroup2`)
	f.Fuzz(func(t *testing.T, table string) { parseMounts(table) })
}
