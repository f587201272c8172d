package keeper

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"muster/cgroup"
	"muster/footprint"
)

// Config is what the keeper role is started with.
type Config struct {
	Home       string   `json:"home"`        // MUSTER_HOME
	Binary     string   `json:"binary"`      // what to run as daemon, an absolute path
	DaemonArgs []string `json:"daemon_args"` // after the binary
	// Cgroup is the control group below which the daemon may make others,
	// where the keeper had to leave it for that.
	Cgroup string `json:"cgroup,omitempty"`
}

// CgroupVariable tells the daemon Config.Cgroup.
const CgroupVariable = "MUSTER_CGROUP"

// LockFile is locked for as long as a keeper of this home lives.
func (c Config) LockFile() string { return filepath.Join(c.Home, "run", "keeper.lock") }

// FatalFile holds why the daemon can not start, while it can not.
func (c Config) FatalFile() string { return filepath.Join(c.Home, "run", "daemon.err") }

// stderrFile takes what the keeper itself has to say: nothing, or how it died.
func (c Config) stderrFile() string { return filepath.Join(c.Home, "run", "keeper.log") }

func (c Config) logDir() string { return filepath.Join(c.Home, "logs", "muster", "daemon.1") }

// ErrRunning is Serve's answer when another keeper has the home.
var ErrRunning = errors.New("another Muster is already running")

// Serve is the keeper role. It returns when everything has ended, or with the
// reason why nothing could be started. It must be called on the main thread,
// which will do every fork: across an upgrade only that thread survives.
func Serve(config Config, resume *os.File) error {
	lock, err := takeLock(config, resume != nil)
	if err != nil {
		return err
	}
	defer lock.Close()
	if resume == nil {
		config.Cgroup = isolate()
	}
	g := &guard{config: config, stop: make(chan struct{}), exits: make(chan Exit, 1), begun: make(chan struct{})}
	g.keeper = New(Options{Subreaper: true, Exited: g.exited})
	g.keeper.kept[lockName] = lock
	if resume != nil {
		if err := g.resume(resume); err != nil {
			return err
		}
	}
	g.trimmer = footprint.New()
	asked := make(chan os.Signal, 2)
	signal.Notify(asked, syscall.SIGTERM, syscall.SIGINT)
	// Caught and not ignored: a process inherits what is ignored.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP, syscall.SIGPIPE)
	go func() {
		for range asked {
			g.terminate()
		}
	}()
	go g.run()
	g.keeper.Run(g.stop)
	return g.err
}

// lockName is the lock's name among the kept descriptors: it lives through an
// upgrade like the others.
const lockName = "muster:lock"

// takeLock makes sure that a home has one keeper. A lock file left behind by a
// dead keeper is not locked, so nothing is ever stale.
func takeLock(config Config, resuming bool) (*os.File, error) {
	if resuming {
		return nil, nil
	}
	file, err := os.OpenFile(config.LockFile(), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer file.Close()
		var owner [20]byte
		n, _ := file.Read(owner[:])
		return nil, fmt.Errorf("%w as pid %s; try another MUSTER_HOME, or muster daemon status", ErrRunning, owner[:n])
	}
	if err := file.Truncate(0); err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(file, "%d", os.Getpid())
	return file, err
}

// isolate leaves a control group that is ours alone, as a systemd service's
// with Delegate=yes, for a leaf of it: only a group without processes of its
// own can limit those below.
func isolate() (root string) {
	r, err := cgroup.Find()
	if err != nil {
		return ""
	}
	group, err := cgroup.Open(r.Path())
	if err != nil {
		return ""
	}
	if pids, err := group.Procs(); err != nil || len(pids) != 1 || pids[0] != os.Getpid() {
		return ""
	}
	if err := r.Isolate("keeper"); err != nil {
		fmt.Fprintln(os.Stderr, "muster: limits can not be enforced:", err)
	}
	return r.Path()
}
