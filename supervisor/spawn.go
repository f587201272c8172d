package supervisor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"muster"
	"muster/formation"
	"muster/keeper"
)

// spawn has the keeper start the slot's process. The answer comes back as an
// input: meanwhile the next process is prepared.
func (l *slot) spawn() {
	s := l.supervisor
	if s.frozen {
		l.machine.Spawning = false
		return
	}
	l.stopTimers()
	if l.machine.History.Starts == 0 {
		l.checkPort()
	}
	s.serial++
	l.id = fmt.Sprintf("%s@%d.%d", l.name, time.Now().UnixNano(), s.serial)
	l.notified = make(chan struct{}, 1)
	l.bornAfter, l.endedEarly = time.Now(), nil
	l.born = formation.Fingerprint(l.app.App, &l.typ)
	spec, files, err := l.spec()
	if err != nil {
		l.spawned(keeper.Held{}, err)
		return
	}
	s.byID[l.id] = l
	s.spawns.put(func() {
		answer := s.options.Keeper.Begin(spec, files)
		s.background(func() {
			held, err := answer()
			s.post(func() { l.spawned(held, err) })
		})
	})
}

// spawned takes the keeper's answer.
func (l *slot) spawned(held keeper.Held, err error) {
	s := l.supervisor
	if err != nil {
		delete(s.byID, l.id)
		s.removeGroup(l.cgroup)
		l.input(formation.Input{Kind: formation.NotSpawned, Exit: spawnFailure(err)})
		l.changed()
		return
	}
	l.input(formation.Input{Kind: formation.Spawned, PID: held.PID})
	l.changed()
	if exit := l.endedEarly; exit != nil {
		l.endedEarly = nil
		l.exited(*exit)
	}
}

func spawnFailure(err error) *muster.Exit {
	return &muster.Exit{Code: 127, Reason: "could not be started: " + err.Error(), At: time.Now()}
}

// spec says how the slot's process is to be started.
func (l *slot) spec() (keeper.Spec, []*os.File, error) {
	s, t := l.supervisor, l.typ
	if err := s.openSockets(l.app, t.Name); err != nil {
		return keeper.Spec{}, nil, err
	}
	env := l.environ()
	spec := keeper.Spec{
		ID: l.id, Argv: s.argv(t.Command, len(t.Sockets) > 0), Env: env, Dir: t.Cwd,
		Mark: l.mark(), Sockets: socketNames(l.name.App, t), Log: l.logSpec(),
		Nice: t.Limits.Nice, Rlimits: rlimits(t.Limits.Rlimits),
	}
	if err := setOwner(&spec, t); err != nil {
		return spec, nil, err
	}
	l.joinGroup(&spec)
	if s.options.TerminalType == t.Name && l.name.N == 1 {
		spec.Files, spec.Session = true, keeper.SessionForeground
		return spec, s.options.Terminal, nil
	}
	return spec, nil, nil
}

// mark are the environment entries by which a daemonized grandchild is known.
func (l *slot) mark() []string {
	return []string{"MUSTER_APP=" + l.name.App, "MUSTER_PROCESS=" + l.name.Name()}
}

func (l *slot) joinGroup(spec *keeper.Spec) {
	groups := l.supervisor.options.Cgroups
	l.cgroup = ""
	if groups == nil {
		if l.typ.Limits.Memory > 0 || l.typ.Limits.CPU > 0 {
			l.warn("runs without its memory_limit and cpu_limit: there is no cgroup v2 to enforce them")
		}
		return
	}
	_, incarnation, _ := strings.Cut(l.id, "@")
	dir, err := groups.Group(l.name.App+"."+l.name.Name()+"."+incarnation, l.typ.Limits)
	if err != nil {
		l.warn(err.Error())
	}
	l.cgroup, spec.Cgroup = dir, dir
	l.oomBefore = groups.OOMKills(dir)
}

// appLogBytes bounds what all logs of an app may take on disk. Its slots share
// it, and the keeper keeps each to its share without asking, so that the bound
// holds at every moment.
const appLogBytes = 1 << 30

// segmentsPerSlot is how many segments a budget must allow: removing the
// oldest of too few would leave next to nothing to read.
const segmentsPerSlot = 4

func (l *slot) logSpec() keeper.LogSpec {
	if l.supervisor.options.LogRoot == "" {
		return keeper.LogSpec{}
	}
	log, budget := l.typ.Log, l.logBudget()
	return keeper.LogSpec{
		Dir:          filepath.Join(l.supervisor.options.LogRoot, l.name.App, l.name.Name()),
		SegmentBytes: min(int64(log.MaxSize), budget/segmentsPerSlot),
		SegmentAge:   time.Duration(log.MaxAge),
		MaxBytes:     budget,
	}
}

// logBudget is the slot's share of what its type and its app may keep on disk.
func (l *slot) logBudget() int64 {
	log := l.typ.Log
	slots := 0
	for _, n := range l.app.Counts {
		slots += n
	}
	budget := min(int64(log.MaxSize)*int64(log.Keep), appLogBytes/int64(max(1, slots)))
	if log.MaxTotal > 0 {
		budget = min(budget, int64(log.MaxTotal)/int64(max(1, l.app.Counts[l.name.Type])))
	}
	return budget
}

func (s *Supervisor) tuneLog(l *slot) {
	if l.machine.Running && s.options.LogRoot != "" {
		spec := l.logSpec()
		s.background(func() { _ = s.options.Keeper.Tune(spec) })
	}
}

// rlimitNumbers are Linux's resource numbers by ulimit's long names.
var rlimitNumbers = map[string]int{
	"cpu": 0, "fsize": 1, "data": 2, "stack": 3, "core": 4, "nproc": 6, "nofile": 7, "memlock": 8, "as": 9,
}

func rlimits(byName map[string]uint64) []keeper.Rlimit {
	var limits []keeper.Rlimit
	for name, value := range byName {
		if number, ok := rlimitNumbers[name]; ok {
			limits = append(limits, keeper.Rlimit{Resource: number, Max: value})
		}
	}
	return limits
}
