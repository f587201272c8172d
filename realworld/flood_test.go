package realworld

import (
	"testing"

	"muster"
)

// A process that ends while what it left behind floods the same pipe has ended
// all the same: its end is told, what it left is killed, a replacement runs.
func TestEndIsSeenWhileAnOrphanFloodsTheLog(t *testing.T) {
	m := newInstallation(t, map[string]string{
		"Procfile": "web: yes flood & test -e again && exec sleep 1000; touch again; sleep 0.2; exit 3\n",
	})
	m.do("start")
	m.wait("web.1 has a replacement", func() string {
		p := m.process("web.1")
		if p.State != muster.StateUp || p.Restarts == 0 {
			return string(p.State) + ": " + p.Reason
		}
		return ""
	})
	m.do("stop")
	m.nothingLeft()
}
