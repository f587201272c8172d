package daemon

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"muster"
	"muster/cgroup"
	"muster/home"
)

// cgroups gives every process a control group under one of this home's own.
type cgroups struct {
	root   *cgroup.Root
	name   string // "muster-1a2b3c4d"
	memory bool   // processes killed for lack of memory are counted

	mu   sync.Mutex   // guards home
	home *cgroup.Root // made with the first process
}

func newCgroups(root *cgroup.Root, h home.Home) *cgroups {
	sum := sha256.Sum256([]byte(h))
	return &cgroups{
		root: root, name: "muster-" + hex.EncodeToString(sum[:4]),
		memory: slices.Contains(root.Controllers(), "memory"),
	}
}

// Group implements supervisor.Cgroups.
func (c *cgroups) Group(name string, limits muster.Limits) (dir string, err error) {
	group, err := c.create(name)
	if err != nil {
		return "", fmt.Errorf("runs outside a cgroup: %w", err)
	}
	var unenforced []string
	if limits.Memory > 0 && group.SetMemoryMax(int64(limits.Memory)) != nil {
		unenforced = append(unenforced, "memory_limit")
	}
	if limits.CPU > 0 && group.SetCPUMax(limits.CPU) != nil {
		unenforced = append(unenforced, "cpu_limit")
	}
	if len(unenforced) > 0 {
		err = fmt.Errorf("runs without its %s: this cgroup has no controller for it", strings.Join(unenforced, " and "))
	}
	return group.Path(), err
}

// create makes a group below the home's, which is made once: looking at it
// again for every process would cost more than the process's own.
func (c *cgroups) create(name string) (*cgroup.Group, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.home != nil {
		if group, err := c.home.Create(name); err == nil {
			return group, nil
		}
	}
	group, err := c.root.Create(c.name + "/" + name)
	if err == nil {
		c.home, err = cgroup.OpenRoot(filepath.Dir(group.Path()))
	}
	return group, err
}

// OOMKills implements supervisor.Cgroups.
func (c *cgroups) OOMKills(dir string) int {
	if !c.memory {
		return 0
	}
	group, err := cgroup.Open(dir)
	if err != nil {
		return 0
	}
	n, err := group.OOMKills()
	if err != nil {
		return 0
	}
	return n
}

// Remove implements supervisor.Cgroups. A group that is not empty stays: its
// processes are somebody's business still.
func (c *cgroups) Remove(dir string) {
	if group, err := cgroup.Open(dir); err == nil {
		_ = group.Remove()
	}
}

// sweep kills and removes the groups of a Muster that died.
func (c *cgroups) sweep() {
	groups, _ := filepath.Glob(filepath.Join(c.root.Path(), c.name, "*", "cgroup.procs"))
	for _, procs := range groups {
		if group, err := cgroup.Open(filepath.Dir(procs)); err == nil {
			_ = group.Kill()
			_ = group.Remove()
		}
	}
}

// close removes this home's group once nothing is in it.
func (c *cgroups) close() { c.Remove(filepath.Join(c.root.Path(), c.name)) }
