package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"muster"
)

// An instance is a Muster with a home of its own and one app.
type instance struct {
	binary string
	home   string
	dir    string
}

// boot starts a Muster by way of a first app that ends at once, so that no row
// measures its birth.
func (b *bench) boot(files map[string]string) (*instance, error) {
	root, err := os.MkdirTemp(b.dir, "i")
	if err != nil {
		return nil, err
	}
	i := &instance{binary: b.binary, home: filepath.Join(root, "h"), dir: filepath.Join(root, "app")}
	warm := filepath.Join(root, "warm")
	if err := write(warm, map[string]string{"Procfile": "none: true\n"}); err != nil {
		return nil, err
	}
	if err := i.write(files); err != nil {
		return nil, err
	}
	if _, err := i.do("start", warm, "-m", "none=0"); err != nil {
		i.end()
		return nil, err
	}
	return i, nil
}

func (i *instance) write(files map[string]string) error { return write(i.dir, files) }

func write(dir string, files map[string]string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (i *instance) do(args ...string) (string, error) {
	c := exec.Command(i.binary, args...)
	c.Dir = i.dir
	c.Env = append(os.Environ(), "MUSTER_HOME="+i.home)
	var out, errs strings.Builder
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("muster %s: %w: %s", strings.Join(args, " "), err, errs.String())
	}
	return out.String(), nil
}

func (i *instance) processes() (list []muster.Process, err error) {
	out, err := i.do("ps", "--json")
	if err == nil {
		err = json.Unmarshal([]byte(out), &list)
	}
	return list, err
}

// own returns the pids of keeper and daemon.
func (i *instance) own() ([]int, error) {
	lock, err := os.ReadFile(filepath.Join(i.home, "run", "keeper.lock"))
	if err != nil {
		return nil, err
	}
	var keeper int
	if _, err := fmt.Sscan(string(lock), &keeper); err != nil {
		return nil, fmt.Errorf("read the keeper's pid: %w", err)
	}
	daemon, err := roleChild(keeper)
	return []int{keeper, daemon}, err
}

// end stops everything; a keeper that does not is killed, and all its children
// with it.
func (i *instance) end() {
	own, _ := i.own()
	_, err := i.do("daemon", "stop")
	if err != nil && len(own) > 0 {
		_ = syscall.Kill(own[0], syscall.SIGKILL)
	}
	os.RemoveAll(filepath.Dir(i.home))
}

// until polls what has no way to tell.
func until(limit time.Duration, what string, done func() bool) error {
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if done() {
			return nil
		}
	}
	return fmt.Errorf("waited %s in vain until %s", limit, what)
}
