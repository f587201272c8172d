package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// prepare builds muster as it is shipped, and installs the peer.
func (b *bench) prepare() error {
	if runtime.GOOS != "linux" {
		return errors.New("what is measured is read from /proc: Linux only")
	}
	var err error
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	if b.binary == "" {
		b.binary = filepath.Join(b.dir, "muster")
		build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", b.binary, "./cmd/muster")
		build.Dir = root
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build muster: %w\n%s", err, out)
		}
	}
	b.peer.install(filepath.Join(root, "bench", "testdata", "pm2"), b.dir)
	return nil
}

func moduleRoot() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	file := strings.TrimSpace(string(out))
	if filepath.Base(file) != "go.mod" {
		return "", errors.New("not inside Muster's source")
	}
	return filepath.Dir(file), nil
}
