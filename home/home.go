// Package home is the directory Muster keeps everything in, and the names of
// what is in it. It knows names and permissions, not contents.
package home

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"muster"
)

// A Home is an absolute directory: MUSTER_HOME.
//
//	muster.db   what must outlive the daemon (SQLite)
//	run/        sockets and locks, for the owner only
//	logs/       APP/web.1/ segments; muster/daemon.1/ Muster's own
type Home string

// systemHome is where a system service, run by root, keeps its things.
const systemHome = "/var/lib/muster"

// Find returns $MUSTER_HOME, else ~/.muster.
func Find() (Home, error) {
	if dir := os.Getenv("MUSTER_HOME"); dir != "" {
		abs, err := filepath.Abs(dir)
		return Home(abs), err
	}
	dir, err := os.UserHomeDir()
	if err != nil || dir == "" {
		if os.Getuid() == 0 {
			return systemHome, nil
		}
		return "", muster.Errorf(muster.CodeFailed, "setting MUSTER_HOME to a directory of yours", "find your home directory: HOME is not set")
	}
	return Home(filepath.Join(dir, ".muster")), nil
}

func (h Home) path(elem ...string) string {
	return filepath.Join(append([]string{string(h)}, elem...)...)
}

// Run is the directory of sockets and locks.
func (h Home) Run() string { return h.path("run") }

// Logs is the root of all log segments.
func (h Home) Logs() string { return h.path("logs") }

// Socket is where the API answers.
func (h Home) Socket() string { return h.path("run", "muster.sock") }

// NotifySocket is where processes send sd_notify messages: a name and no file
// (Linux's abstract sockets), for processes may run as users who can not enter
// the home. It is this home's alone, so it also marks whose a process is.
func (h Home) NotifySocket() string {
	sum := sha256.Sum256([]byte(h))
	return "@muster/" + hex.EncodeToString(sum[:8])
}

// KeeperLog takes what the keeper itself has to say, which is little.
func (h Home) KeeperLog() string { return h.path("run", "keeper.log") }

// FatalFile says why the daemon can not start, while it can not. The keeper
// writes it.
func (h Home) FatalFile() string { return h.path("run", "daemon.err") }

// maxSocketPath is what a Unix socket's address holds, less its final zero.
const maxSocketPath = 107

// Validate refuses a home that could never work.
func (h Home) Validate() error {
	if n := len(h.Socket()); n > maxSocketPath {
		return muster.Errorf(muster.CodeFailed, "setting MUSTER_HOME to a shorter path",
			"socket path %s is %d bytes long; the system's limit is %d", h.Socket(), n, maxSocketPath)
	}
	if info, err := os.Stat(string(h)); err == nil && !info.IsDir() {
		return muster.Errorf(muster.CodeFailed, "setting MUSTER_HOME to a directory", "%s is a file", h)
	}
	return nil
}

// Prepare makes the directories and proves that they can be used.
func (h Home) Prepare() error {
	if err := h.Validate(); err != nil {
		return err
	}
	for _, dir := range []string{string(h), h.Run(), h.Logs()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return explain("make", dir, err)
		}
	}
	info, err := os.Stat(h.Run())
	if err != nil {
		return explain("read", h.Run(), err)
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) != os.Getuid() {
		return muster.Errorf(muster.CodeForbidden, "running as its owner, or another MUSTER_HOME", "%s belongs to user %d, not to you", h.Run(), stat.Uid)
	}
	if err := os.Chmod(h.Run(), 0o700); err != nil {
		return explain("protect", h.Run(), err)
	}
	return nil
}

func explain(verb, dir string, err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		dir, err = pathErr.Path, pathErr.Err
	}
	hint := "setting MUSTER_HOME to a directory you may write to"
	if errors.Is(err, syscall.ENOSPC) {
		hint = "freeing space on its disk"
	}
	return muster.Errorf(muster.CodeFailed, hint, "%s %s: %w", verb, dir, err)
}
