package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"muster"
)

func handovers() int {
	if testing.Short() {
		return 10
	}
	return 60
}

// TestExitWithoutDaemon ends a process around the moment one daemon follows
// the other: its end must be noticed, and the process replaced, as always.
func TestExitWithoutDaemon(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	m := newMachine(t)
	// Failures are the test's own, so they count for nothing.
	m.manifest(fmt.Sprintf("name = \"shop\"\n[web]\ncommand = [%q, \"e2e:sleep\"]\nbackoff = {initial = \"10ms\", max = \"10ms\"}\nscale = 2\n", self))
	m.run("start")
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	for i := range handovers() {
		victim := m.ps()["web.1"].PID
		daemon := m.daemonPID()
		kill(daemon)
		eventually(t, "another daemon", func() bool { pid := m.daemonPID(); return pid != 0 && pid != daemon })
		time.Sleep(time.Duration(random.IntN(60_000)) * time.Microsecond) // a random point of its start
		kill(victim)
		var now muster.Process
		if !within(10*time.Second, func() bool {
			now = m.ps()["web.1"]
			return now.PID != victim && now.State == muster.StateUp && runs(now.PID)
		}) {
			t.Fatalf("round %d: web.1 was killed as pid %d and is still said to be %s with pid %d", i, victim, now.State, now.PID)
		}
	}
}
