package supervisor

import (
	"os"
	"sort"
	"time"

	"muster"
	"muster/formation"
)

// A Status is a process and what only the supervisor knows of it.
type Status struct {
	muster.Process
	ID       string             `json:"id"` // in the keeper
	Cgroup   string             `json:"cgroup,omitempty"`
	Failures int                `json:"failures"`
	RetryAt  time.Time          `json:"retry_at,omitzero"`
	Spec     muster.ProcessType `json:"spec"`
}

// Processes returns every slot, one-offs included, in the order of apps and
// manifests.
func (s *Supervisor) Processes() (list []Status) {
	s.do(func() {
		for _, a := range s.sortedApps() {
			for _, l := range s.slotsOf(a, "") {
				list = append(list, l.status())
			}
		}
		for _, o := range s.sortedOneoffs() {
			list = append(list, o.status())
		}
	})
	return list
}

func (s *Supervisor) sortedApps() []*app {
	var apps []*app
	for _, a := range s.apps {
		apps = append(apps, a)
	}
	sort.Slice(apps, func(i, j int) bool { return apps[i].App.Name < apps[j].App.Name })
	return apps
}

func (l *slot) status() Status {
	p := processOf(l.name, l.machine)
	p.Port = l.port
	return Status{Process: p, ID: l.id, Cgroup: l.cgroup, Failures: l.machine.History.Failures, RetryAt: l.machine.RetryAt, Spec: l.typ}
}

func processOf(name muster.Slot, m formation.Machine) muster.Process {
	p := muster.Process{
		App: name.App, Type: name.Type, Slot: name.N, Name: name.Name(), State: m.State, Reason: m.Reason,
		PID: m.PID, Restarts: m.Restarts, Ports: []int{}, LastExit: m.LastExit,
	}
	if m.Running && m.PID != 0 {
		started := m.StartedAt
		p.StartedAt, p.UptimeSeconds = &started, time.Since(started).Seconds()
	}
	return p
}

// Tree returns the pids of a process's whole tree.
func (s *Supervisor) Tree(id string) []int {
	pids, _ := s.options.Keeper.Tree(id)
	return pids
}

// Stdin returns the writing end of a process's standard input. The caller
// closes it; the process sees no end of file by that, for the keeper holds the
// pipe open.
func (s *Supervisor) Stdin(name muster.Slot) (file *os.File, err error) {
	id := ""
	s.do(func() {
		if l := s.slots[name]; l != nil && l.machine.PID != 0 {
			id = l.id
		}
	})
	if id == "" {
		return nil, muster.Errorf(muster.CodeNotFound, "muster ps", "%s does not run", name)
	}
	return s.options.Keeper.Fetch("stdin:" + id)
}
