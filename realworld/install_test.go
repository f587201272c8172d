package realworld

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// lockedAt is where the programs' versions are pinned.
const lockedAt = "testdata/programs"

// installLimit bounds npm: a registry that hangs is as good as none.
const installLimit = 5 * time.Minute

// installed is the result of npm ci, done once for all tests.
var installed struct {
	once    sync.Once
	dir     string // holds node_modules
	missing string // why there is none
	temp    string
}

// nodeModules returns the directory the programs are installed in, or skips.
func nodeModules(t *testing.T) string {
	t.Helper()
	installed.once.Do(install)
	if installed.missing != "" {
		t.Skip(installed.missing)
	}
	return filepath.Join(installed.dir, "node_modules")
}

func install() {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			installed.missing = program + " is not installed"
			return
		}
	}
	lock, err := os.ReadFile(filepath.Join(lockedAt, "package-lock.json"))
	if err != nil {
		installed.missing = err.Error()
		return
	}
	dir, err := filepath.Abs(lockedAt)
	if err != nil || !writable(dir) {
		if dir, err = copyLock(); err != nil {
			installed.missing = err.Error()
			return
		}
	}
	installed.dir = dir
	installed.missing = npmCI(dir, lock)
}

// npmCI installs what the lock file pins, unless that is there already.
func npmCI(dir string, lock []byte) (missing string) {
	stamp := filepath.Join(dir, "node_modules", ".installed-from")
	if was, err := os.ReadFile(stamp); err == nil && bytes.Equal(was, lock) {
		return ""
	}
	ctx, cancel := context.WithTimeout(context.Background(), installLimit)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	npm.Dir = dir
	npm.WaitDelay = 5 * time.Second
	if out, err := npm.CombinedOutput(); err != nil {
		return "npm could not install the programs: " + err.Error() + "\n" + string(out)
	}
	if err := os.WriteFile(stamp, lock, 0o644); err != nil {
		return err.Error()
	}
	return ""
}

func writable(dir string) bool {
	probe, err := os.CreateTemp(dir, ".writable")
	if err != nil {
		return false
	}
	probe.Close()
	return os.Remove(probe.Name()) == nil
}

// copyLock makes a directory to install into where the source tree can not be
// written, as for another user than its owner.
func copyLock() (string, error) {
	dir, err := os.MkdirTemp("", "programs")
	if err != nil {
		return "", err
	}
	installed.temp = dir
	return dir, os.CopyFS(dir, os.DirFS(lockedAt))
}

func removeInstalled() {
	if installed.temp != "" {
		os.RemoveAll(installed.temp)
	}
}
