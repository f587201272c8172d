package e2e

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// daemonKills is how often the daemon is killed under load.
func daemonKills() int {
	if testing.Short() {
		return 25
	}
	return 300
}

// TestKillDaemon kills the daemon at random points, also while it is still
// starting: nobody but a person who counts pids of daemons may notice.
func TestKillDaemon(t *testing.T) {
	l := startLoad(t)
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	for i := range daemonKills() {
		if random.IntN(3) > 0 {
			l.untouched(fmt.Sprintf("after %d kills", i))
		}
		pid := 0
		eventually(t, "the keeper starts a daemon", func() bool { pid = l.daemonPID(); return pid != 0 })
		// No synchronisation: the point in the daemon's life is to be random.
		time.Sleep(time.Duration(random.IntN(30_000)) * time.Microsecond)
		kill(pid)
		eventually(t, "the killed daemon is gone", func() bool { return !runs(pid) })
	}
	l.finish()
}

// TestCommandWhileKilled has commands in flight when the daemon dies: one that
// only asks is asked again, of the next daemon.
func TestCommandWhileKilled(t *testing.T) {
	m := newMachine(t)
	m.manifest("name = \"shop\"\n[web]\ncommand = [\"sleep\", \"1000\"]\n")
	m.run("start")
	stop, done := make(chan struct{}), make(chan []string)
	go func() {
		var failed []string
		for {
			select {
			case <-stop:
				done <- failed
				return
			default:
			}
			if o := m.try("ps"); o.code != 0 {
				failed = append(failed, o.err)
			}
		}
	}()
	for range 40 {
		pid := 0
		eventually(t, "a daemon", func() bool { pid = m.daemonPID(); return pid != 0 })
		m.run("daemon", "start") // waits until one answers
		kill(m.daemonPID())
		eventually(t, "the killed daemon is gone", func() bool { return !runs(pid) })
	}
	close(stop)
	if failed := <-done; len(failed) > 0 {
		t.Errorf("muster ps failed %d times: %s", len(failed), failed[0])
	}
}
