package e2e

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"muster"
	_ "muster/store" // brings the database's driver
)

func massacres() int {
	if testing.Short() {
		return 8
	}
	return 50
}

// A formationSeen is which processes there are, and whether they should run:
// "web.1 up".
type formationSeen []string

// A step is a command.
type step struct {
	args []string
}

// formationOf counts processes out.
func formationOf(web, worker int, state string) map[string]string {
	f := map[string]string{}
	for n := 1; n <= web; n++ {
		f[fmt.Sprintf("web.%d", n)] = "up"
	}
	for n := 1; n <= worker; n++ {
		f[fmt.Sprintf("worker.%d", n)] = state
	}
	return f
}

// steps are the commands to be interrupted.
var steps = []step{
	{[]string{"start"}},
	{[]string{"scale", "web=1", "worker=3"}},
	{[]string{"scale", "web=4", "worker=1"}},
	{[]string{"stop", "worker"}},
	{[]string{"start", "shop"}},
	{[]string{"delete", "shop"}},
}

// after is the formation a step makes of another; ok is false where the
// command would be refused.
func (s step) after(f map[string]string) (next map[string]string, ok bool) {
	web, worker, stopped := 0, 0, false
	for name, state := range f {
		if strings.HasPrefix(name, "web.") {
			web++
		} else {
			worker++
			stopped = stopped || state == "down"
		}
	}
	state := "up"
	switch exists := len(f) > 0; {
	case !exists && s.args[0] != "start", !exists && len(s.args) == 2:
		return nil, false
	case s.args[0] == "start" && !exists:
		web, worker = 2, 1
	case s.args[0] == "start": // a scale set by hand stays
	case s.args[0] == "delete":
		return map[string]string{}, true
	case s.args[0] == "stop":
		state = "down"
	case stopped:
		return nil, false // what scaling does to stopped types is another test's
	case s.args[1] == "web=1":
		web, worker = 1, 3
	default:
		web, worker = 4, 1
	}
	return formationOf(web, worker, state), true
}

// TestKillEverything kills keeper, daemon and the command itself in the middle
// of commands. The next Muster has the formation of before or that of after,
// and nothing between.
func TestKillEverything(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	m := newMachine(t)
	m.manifest(fmt.Sprintf("name = \"shop\"\n[web]\ncommand = [%[1]q, \"e2e:sleep\"]\nscale = 2\n[worker]\ncommand = [%[1]q, \"e2e:sleep\"]\n", self))
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	now := map[string]string{}
	done := 0
	for i := range massacres() {
		s, next := pick(random, now)
		m.massacre(s.args, time.Duration(random.IntN(80_000))*time.Microsecond)
		m.validDatabase()
		m.run("daemon", "start")
		was := now
		now = m.settled(was, next)
		if now == nil {
			t.Fatalf("round %d: after muster %s was killed, the formation is %v; it was %v and should have become %v",
				i, strings.Join(s.args, " "), m.formation(), show(was), show(next))
		}
		if maps.Equal(now, next) && !maps.Equal(was, next) {
			done++
		}
	}
	t.Logf("%d of %d commands came through before the end", done, massacres())
}

func pick(random *rand.Rand, now map[string]string) (step, map[string]string) {
	for {
		s := steps[random.IntN(len(steps))]
		if next, ok := s.after(now); ok {
			return s, next
		}
	}
}

// massacre starts a command and, some time later, kills everything.
func (m *machine) massacre(args []string, later time.Duration) {
	m.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c := m.command(ctx, args...)
	if err := c.Start(); err != nil {
		m.t.Fatal(err)
	}
	time.Sleep(later) // a random point, not synchronisation
	kill(c.Process.Pid)
	_ = c.Wait()
	// A command may have been about to start a keeper.
	eventually(m.t, "everything ends", func() bool {
		left := marked("MUSTER_HOME=" + m.home)
		for _, pid := range left {
			kill(pid)
		}
		return len(left) == 0
	})
}

// validDatabase asks SQLite. A database that was never made is valid.
func (m *machine) validDatabase() {
	m.t.Helper()
	path := filepath.Join(m.home, "muster.db")
	if _, err := os.Stat(path); err != nil {
		return
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		m.t.Fatal(err)
	}
	defer db.Close()
	var answer string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&answer); err != nil || answer != "ok" {
		m.t.Fatalf("integrity_check says %q: %v", answer, err)
	}
}

// settled waits until the formation is one of the two, with every process as
// it should be, and returns it; nil if that does not happen.
func (m *machine) settled(either ...map[string]string) (found map[string]string) {
	within(patience/2, func() bool {
		now := m.formation()
		for _, f := range either {
			if slices.Equal(now, show(f)) {
				found = f
				return true
			}
		}
		return false
	})
	return found
}

func (m *machine) formation() (seen formationSeen) {
	for name, p := range m.ps() {
		state := string(p.State)
		if p.State == muster.StateUp && !runs(p.PID) {
			state = "up without a process"
		}
		seen = append(seen, name+" "+state)
	}
	slices.Sort(seen)
	return seen
}

func show(f map[string]string) (seen formationSeen) {
	for name, state := range f {
		seen = append(seen, name+" "+state)
	}
	slices.Sort(seen)
	return seen
}
