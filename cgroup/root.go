package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A Root is the group below which this process may make others.
type Root struct{ dir string }

// OpenRoot returns the Root at a path that another process found and isolated
// itself from: after Isolate, Find would answer with the leaf.
func OpenRoot(path string) (*Root, error) {
	if _, err := Open(path); err != nil {
		return nil, err
	}
	return &Root{dir: path}, nil
}

// Path is the root's directory.
func (r *Root) Path() string { return r.dir }

func (r *Root) group() *Group { return &Group{dir: r.dir} }

// wanted are the controllers that limits and measurements use.
var wanted = []string{"cpu", "memory", "pids", "io"}

// Isolate moves the calling process into the child group leaf and then hands
// the controllers that are available here on to all children. The order is the
// kernel's rule: a group that has controllers for its children has no processes of its
// own. A systemd service with Delegate=yes starts out that way, with its main
// process in the group it was given.
//
// An error says which controllers could not be handed on, and why; the groups
// made below are as good for everything but limits. The leaf stays: a process
// can not remove the group it is in.
func (r *Root) Isolate(leaf string) error {
	own, err := r.Create(leaf)
	if err != nil {
		return err
	}
	if err := own.Add(os.Getpid()); err != nil {
		return errors.Join(err, own.Remove())
	}
	return handOn(r.group(), r.available())
}

// available are the wanted controllers that this root itself was given.
func (r *Root) available() []string {
	given, _ := r.group().read("cgroup.controllers") // none is an answer too
	var available []string
	for _, name := range strings.Fields(given) {
		if slices.Contains(wanted, name) {
			available = append(available, name)
		}
	}
	return available
}

// Controllers returns those controllers that groups made here have: "cpu",
// "memory", ... None means that limits can not be set.
func (r *Root) Controllers() []string { return handedOn(r.group()) }

func handedOn(g *Group) []string {
	text, _ := g.read("cgroup.subtree_control")
	return strings.Fields(text)
}

// handOn enables controllers for the children of g, one by one, because one
// that is refused refuses all that are written with it.
func handOn(g *Group, controllers []string) error {
	has := handedOn(g)
	var errs []error
	for _, name := range controllers {
		if slices.Contains(has, name) {
			continue
		}
		if err := g.write("cgroup.subtree_control", "+"+name); err != nil {
			errs = append(errs, g.failed("hand on the "+name+" controller of", err))
		}
	}
	return errors.Join(errs...)
}

// Create makes the group called name, with the groups above it where name has
// slashes: "muster-1f3a/shop.web.1". One that exists is taken as it is.
func (r *Root) Create(name string) (*Group, error) {
	if !filepath.IsLocal(name) || filepath.Clean(name) != name || name == "." {
		return nil, fmt.Errorf("%q can not name a control group; try words divided by single slashes", name)
	}
	g := r.group()
	for i, part := range strings.Split(name, "/") {
		if i > 0 {
			// Without them the group is made all the same: see Controllers.
			_ = handOn(g, handedOn(r.group()))
		}
		g = &Group{dir: filepath.Join(g.dir, part)}
		if err := os.Mkdir(g.dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			return nil, g.failed("make", err)
		}
	}
	return g, nil
}
