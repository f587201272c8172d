package daemon

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"muster"
	"muster/cgroup"
	"muster/home"
)

// cgroups gives every slot a control group under one of this home's own.
type cgroups struct {
	root *cgroup.Root
	name string // "muster-1a2b3c4d"
}

func newCgroups(root *cgroup.Root, h home.Home) *cgroups {
	sum := sha256.Sum256([]byte(h))
	return &cgroups{root: root, name: "muster-" + hex.EncodeToString(sum[:4])}
}

// Group implements supervisor.Cgroups.
func (c *cgroups) Group(slot muster.Slot, limits muster.Limits) (dir string, err error) {
	group, err := c.root.Create(c.name + "/" + slot.App + "." + slot.Name())
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

// OOMKills implements supervisor.Cgroups.
func (c *cgroups) OOMKills(dir string) int {
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
