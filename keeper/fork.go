package keeper

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"muster"
)

// Run carries out forks on the calling thread until stop is closed. The kernel
// sends the parent-death signal when the thread that forked ends, not when the
// process does, so this thread must live as long as the children.
func (k *Keeper) Run(stop <-chan struct{}) {
	runtime.LockOSThread() // never unlocked: see above
	k.running.Go(func() { k.tellExits(k.done) })
	k.running.Go(func() { k.reapLoop(k.done) })
	for {
		select {
		case fork := <-k.forks:
			fork()
		case <-stop:
			close(k.done)
			k.closePumps()
			k.running.Wait()
			return
		}
	}
}

// closePumps ends reading even where somebody that could not be found still
// holds the other end of a pipe.
func (k *Keeper) closePumps() {
	k.mu.Lock()
	var pumps []*pump
	for _, c := range k.children {
		pumps = append(pumps, c.pumps...)
	}
	k.mu.Unlock()
	for _, p := range pumps {
		p.close()
	}
}

// errStopped answers forks after Run has returned.
var errStopped = errors.New("the keeper is stopping")

func (k *Keeper) onForkThread(f func() error) error {
	result := make(chan error, 1)
	select {
	case k.forks <- func() { result <- f() }:
		return <-result
	case <-k.done:
		return errStopped
	}
}

func (k *Keeper) spawn(spec Spec, files []*os.File) (Held, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.children[spec.ID] != nil {
		return Held{}, fmt.Errorf("%s: already held", spec.ID)
	}
	path, err := lookPath(spec)
	if err != nil {
		return Held{}, err
	}
	stdio, err := k.openStdio(spec, files)
	if err != nil {
		return Held{}, err
	}
	defer stdio.closeTheirs()
	sockets, err := k.socketFiles(spec)
	if err != nil {
		stdio.closeOurs()
		return Held{}, err
	}
	sys, release, err := sysProcAttr(spec)
	if err != nil {
		stdio.closeOurs()
		return Held{}, err
	}
	defer release()
	process, err := os.StartProcess(path, spec.Argv, &os.ProcAttr{
		Dir: spec.Dir, Env: spec.Env, Files: append(stdio.theirs[:], sockets...), Sys: sys,
	})
	if err != nil {
		stdio.closeOurs()
		return Held{}, explainStart(spec, path, err)
	}
	applyLimits(process.Pid, spec)
	c := &child{spec: spec, pid: process.Pid, process: process, startedAt: time.Now(), stdin: stdio.stdin, pipes: pipeNames(stdio)}
	c.spec.Env, c.spec.Argv = nil, nil // secrets stay no longer than needed
	k.children[spec.ID], k.byPID[c.pid] = c, c
	k.startPumps(c, stdio)
	return c.held(), nil
}

// socketFiles returns the kept descriptors the process asked for. They stay
// the keeper's.
func (k *Keeper) socketFiles(spec Spec) ([]*os.File, error) {
	var files []*os.File
	for _, name := range spec.Sockets {
		file := k.kept[name]
		if file == nil {
			return nil, fmt.Errorf("%s: socket %s is not kept", spec.ID, name)
		}
		files = append(files, file)
	}
	return files, nil
}

// A stdio is both sides of a process's three standard descriptors.
type stdio struct {
	theirs   [3]*os.File
	borrowed bool // theirs are the caller's and stay open
	stdin    *os.File
	out, err *os.File
}

func (k *Keeper) openStdio(spec Spec, files []*os.File) (*stdio, error) {
	if spec.Files {
		if len(files) != 3 {
			return nil, fmt.Errorf("%s: %d descriptors came with the request, not 3", spec.ID, len(files))
		}
		return &stdio{theirs: [3]*os.File(files), borrowed: true}, nil
	}
	if spec.Discard {
		null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
		return &stdio{theirs: [3]*os.File{null, null, null}}, err
	}
	s := &stdio{}
	var errs [3]error
	s.theirs[0], s.stdin, errs[0] = os.Pipe()
	s.out, s.theirs[1], errs[1] = os.Pipe()
	s.err, s.theirs[2], errs[2] = os.Pipe()
	if err := errors.Join(errs[:]...); err != nil {
		s.closeTheirs()
		s.closeOurs()
		return nil, err
	}
	growPipe(s.out)
	return s, nil
}

func (s *stdio) closeTheirs() {
	if s.borrowed {
		return
	}
	for _, f := range s.theirs {
		if f != nil {
			f.Close() // closing /dev/null three times is harmless
		}
	}
}

func (s *stdio) closeOurs() {
	for _, f := range []*os.File{s.stdin, s.out, s.err} {
		if f != nil {
			f.Close()
		}
	}
}

func (k *Keeper) startPumps(c *child, s *stdio) {
	if s.out == nil {
		return
	}
	sink := k.sink(c.spec)
	c.pumps = []*pump{
		newPump(&k.gate, s.out, muster.Stdout, sink),
		newPump(&k.gate, s.err, muster.Stderr, sink),
	}
	for _, p := range c.pumps {
		k.running.Go(p.run)
	}
}

func (k *Keeper) sink(spec Spec) Sink {
	if spec.Log.Dir == "" {
		return k.options.Sink(spec)
	}
	return k.acquireLog(spec.Log)
}

var errNotOnPath = errors.New("no such program on its PATH")

// lookPath finds Argv[0] on the PATH the process will have, not on ours.
func lookPath(spec Spec) (string, error) {
	if len(spec.Argv) == 0 || spec.Argv[0] == "" {
		return "", fmt.Errorf("%s: no command", spec.ID)
	}
	name := spec.Argv[0]
	if strings.Contains(name, "/") {
		return name, nil
	}
	for _, dir := range filepath.SplitList(pathOf(spec.Env)) {
		path := filepath.Join(dir, name)
		if !filepath.IsAbs(path) {
			path = filepath.Join(spec.Dir, path)
		}
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s: %w", name, errNotOnPath)
}

func pathOf(env []string) string {
	for _, entry := range env {
		if path, ok := strings.CutPrefix(entry, "PATH="); ok {
			return path
		}
	}
	return "/usr/local/bin:/usr/bin:/bin"
}

// explainStart says which of its two paths a failed start could not use:
// the kernel answers "no such file" for both.
func explainStart(spec Spec, path string, err error) error {
	if _, serr := os.Stat(spec.Dir); serr != nil && spec.Dir != "" {
		return fmt.Errorf("directory %s: %w", spec.Dir, errors.Unwrap(serr))
	}
	return fmt.Errorf("start %s: %w", path, rootCause(err))
}

func rootCause(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}

// commonAttr is what every Unix can do between fork and exec.
func commonAttr(spec Spec) *syscall.SysProcAttr {
	sys := &syscall.SysProcAttr{}
	switch spec.Session {
	case SessionNew:
		sys.Setsid = true
	case SessionTerminal:
		sys.Setsid, sys.Setctty, sys.Ctty = true, true, 0
	case SessionForeground:
		sys.Setpgid, sys.Foreground, sys.Ctty = true, true, 0
	}
	if spec.UID != nil || spec.GID != nil {
		sys.Credential = credential(spec)
	}
	return sys
}

func credential(spec Spec) *syscall.Credential {
	c := &syscall.Credential{Uid: uint32(os.Getuid()), Gid: uint32(os.Getgid()), Groups: spec.Groups}
	if spec.UID != nil {
		c.Uid = *spec.UID
	}
	if spec.GID != nil {
		c.Gid = *spec.GID
	}
	return c
}
