package home

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster"
)

func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "m")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func TestPrepareMakesPrivateDirectories(t *testing.T) {
	h := Home(filepath.Join(shortDir(t), "deep", "home"))
	if err := h.Prepare(); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{string(h), h.Run(), h.Logs()} {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", dir, info.Mode(), err)
		}
	}
	if err := os.Chmod(h.Run(), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := h.Prepare(); err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(h.Run()); info.Mode().Perm() != 0o700 {
		t.Errorf("a loosened run/ stays %v", info.Mode())
	}
}

func TestTooLongASocketPath(t *testing.T) {
	base := shortDir(t)
	// "/run/muster.sock" and "/run/notify.sock" are 16 bytes long.
	for _, c := range []struct {
		length int
		ok     bool
	}{{107, true}, {108, false}, {200, false}} {
		h := Home(base + "/" + strings.Repeat("x", c.length-16-len(base)-1))
		err := h.Prepare()
		if (err == nil) != c.ok {
			t.Errorf("a socket path of %d bytes: %v", len(h.Socket()), err)
		}
		if err != nil && !strings.Contains(err.Error(), "MUSTER_HOME") {
			t.Errorf("no way out: %v", err)
		}
		if _, statErr := os.Stat(string(h)); err != nil && statErr == nil {
			t.Error("a refused home was made all the same")
		}
	}
}

func TestFind(t *testing.T) {
	dir := shortDir(t)
	t.Chdir(dir)
	t.Setenv("MUSTER_HOME", "sub/home")
	h, err := Find()
	if err != nil || !filepath.IsAbs(string(h)) || !strings.HasSuffix(string(h), "/sub/home") {
		t.Errorf("relative MUSTER_HOME: %s, %v", h, err)
	}
	t.Setenv("MUSTER_HOME", "")
	t.Setenv("HOME", "/home/ada")
	if h, err := Find(); err != nil || h != "/home/ada/.muster" {
		t.Errorf("default: %s, %v", h, err)
	}
	t.Setenv("HOME", "")
	h, err = Find()
	if os.Getuid() == 0 {
		if err != nil || h != systemHome {
			t.Errorf("root without HOME: %s, %v", h, err)
		}
	} else if err == nil {
		t.Errorf("without HOME it is %s", h)
	}
}

func TestAnotherUsersHomeIsRefused(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("giving a directory to another user needs root")
	}
	h := Home(shortDir(t))
	if err := h.Prepare(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(h.Run(), 65534, 65534); err != nil {
		t.Skipf("the directory can not be given away: %v", err)
	}
	var e *muster.Error
	if err := h.Prepare(); !errors.As(err, &e) || e.Code != muster.CodeForbidden {
		t.Errorf("err = %v", err)
	}
}

func TestAHomeThatCanNotBe(t *testing.T) {
	file := filepath.Join(shortDir(t), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := Home(file + "/home").Prepare()
	if err == nil || !strings.Contains(err.Error(), "not a directory; try setting MUSTER_HOME") {
		t.Errorf("err = %v", err)
	}
}
