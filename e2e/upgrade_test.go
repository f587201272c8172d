package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func upgrades() int {
	if testing.Short() {
		return 4
	}
	return 20
}

// TestUpgrade replaces keeper and daemon by another binary again and again.
func TestUpgrade(t *testing.T) {
	l := startLoad(t)
	keeper := l.keeperPID()
	var binaries [2]string
	for i := range binaries {
		binaries[i] = filepath.Join(l.root, fmt.Sprintf("muster%d", i))
		if err := os.Link(binary, binaries[i]); err != nil {
			copyFile(t, binary, binaries[i])
		}
	}
	for i := range upgrades() {
		daemon := l.daemonPID()
		l.run("daemon", "upgrade", binaries[i%2])
		l.untouched(fmt.Sprintf("after %d upgrades", i+1))
		if now := l.keeperPID(); now != keeper {
			t.Fatalf("the keeper's pid was %d and is %d", keeper, now)
		}
		if now := l.daemonPID(); now == daemon || !strings.HasPrefix(executable(now), l.root) {
			t.Fatalf("the daemon is pid %d of %s after an upgrade; it was %d", now, executable(now), daemon)
		}
	}
	l.finish()
}

func executable(pid int) string {
	path, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	return path
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, data, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}
