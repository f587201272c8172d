package cgroup

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// Find returns the group this process is in, if it may make groups below. The
// error says why it may not.
func Find() (*Root, error) {
	mountinfo, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("find control groups: %w", err)
	}
	membership, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, fmt.Errorf("find control groups: %w", err)
	}
	return find(string(mountinfo), string(membership))
}

func find(mountinfo, membership string) (*Root, error) {
	mounts := parseMounts(mountinfo)
	group, ok := parseMembership(membership)
	if len(mounts) == 0 || !ok {
		return nil, errors.New("control groups can not be used: version 2 (cgroup2) is not mounted")
	}
	if strings.HasSuffix(group, " (deleted)") {
		return nil, fmt.Errorf("control groups can not be used: this process's own, %s, was removed", group)
	}
	var errs []error
	for _, m := range mounts {
		r, err := m.try(group)
		if err == nil {
			return r, nil
		}
		errs = append(errs, err)
	}
	return nil, fmt.Errorf("control groups can not be used: %w", errors.Join(errs...))
}

// try answers with the root in this mount once a group could be made there:
// rights, read-only mounts and limits on depth all show then and only then.
func (m mount) try(group string) (*Root, error) {
	if m.readOnly {
		return nil, fmt.Errorf("%s is mounted read-only", m.dir)
	}
	dir, ok := m.locate(group)
	if !ok {
		return nil, fmt.Errorf("%s does not show %s, the group of this process", m.dir, group)
	}
	r, err := OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	trial, err := os.MkdirTemp(dir, "muster-trial-")
	if err != nil {
		return nil, (&Group{dir: dir}).failed("make a group in", err)
	}
	if err := os.Remove(trial); err != nil {
		return nil, (&Group{dir: trial}).failed("remove", err)
	}
	return r, nil
}
