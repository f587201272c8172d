package daemon

import (
	"context"
	"os"
	"regexp"
	"strings"
	"time"

	"muster"
	"muster/logs"
	"muster/metrics"
	"muster/store"
	"muster/supervisor"
)

// Status is Muster's own state.
type Status struct {
	Version       string    `json:"version"`
	Home          string    `json:"home"`
	DaemonPID     int       `json:"daemon_pid"`
	KeeperPID     int       `json:"keeper_pid"`
	StartedAt     time.Time `json:"started_at"`
	KeeperStarted time.Time `json:"keeper_started_at"`
	Apps          int       `json:"apps"`
	Processes     int       `json:"processes"` // running
}

// Status reports on Muster itself.
func (d *Daemon) Status() (Status, error) {
	inventory, err := d.keeper.Inventory()
	if err != nil {
		return Status{}, err
	}
	s := Status{
		Version: muster.Version, Home: string(d.Home), DaemonPID: os.Getpid(), KeeperPID: inventory.PID,
		StartedAt: d.startedAt, KeeperStarted: inventory.StartedAt,
	}
	d.mu.Lock()
	s.Apps = len(d.apps)
	d.mu.Unlock()
	for _, p := range d.engine.Processes() {
		if p.PID != 0 {
			s.Processes++
		}
	}
	return s, nil
}

// Processes lists what a target means; with no names and no -a, everything.
func (d *Daemon) Processes(t Target) ([]muster.Process, error) {
	sel, err := d.selectOrAll(t)
	if err != nil {
		return nil, err
	}
	return d.processes(sel), nil
}

func (d *Daemon) selectOrAll(t Target) (Selection, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(t.Names) == 0 && t.App == "" {
		t.Names = []string{"all"}
	}
	return d.resolve(t)
}

// processes returns the selected processes with what they take.
func (d *Daemon) processes(sel Selection) []muster.Process {
	list := []muster.Process{}
	for _, s := range d.measured(sel) {
		list = append(list, s.Process)
	}
	return list
}

func (d *Daemon) measured(sel Selection) []supervisor.Status {
	var selected []supervisor.Status
	var roots []metrics.Root
	for _, s := range d.engine.Processes() {
		if !sel.Match(s.SlotOf()) {
			continue
		}
		selected = append(selected, s)
		if s.PID != 0 {
			roots = append(roots, metrics.Root{Key: s.ID, PID: s.PID, Start: *s.StartedAt,
				Mark: []string{"MUSTER_APP=" + s.App, "MUSTER_PROCESS=" + s.Name}})
		}
	}
	usage := d.sampler.Sample(roots, d.keeperPID)
	for i := range selected {
		if u, ok := usage[selected[i].ID]; ok && selected[i].PID != 0 {
			p := &selected[i].Process
			p.CPUPercent, p.MemoryBytes = u.CPUPercent, u.MemoryBytes
			p.Ports = append([]int{}, u.Ports...)
		}
	}
	return selected
}

// An Info is everything known of one process.
type Info struct {
	muster.Process
	Port        int                `json:"port"` // the PORT it was given
	Command     string             `json:"command"`
	Cwd         string             `json:"cwd"`
	PIDs        []int              `json:"pids"`
	Environment []string           `json:"environment"` // names only
	Cgroup      string             `json:"cgroup,omitempty"`
	LogDir      string             `json:"log_dir"`
	RetryAt     *time.Time         `json:"retry_at,omitempty"`
	Spec        muster.ProcessType `json:"spec"`
	// Exits are its last ends, newest first.
	Exits []muster.Exit `json:"exits"`
	// Events are its last ones, oldest first.
	Events []muster.Event `json:"events"`
}

// Info tells everything known of the processes a target means.
func (d *Daemon) Info(t Target) ([]Info, error) {
	d.mu.Lock()
	sel, err := d.resolve(t)
	d.mu.Unlock()
	if err != nil {
		return nil, err
	}
	var infos []Info
	for _, s := range d.measured(sel) {
		info, err := d.info(s)
		if err != nil {
			return nil, err
		}
		infos = append(infos, info)
	}
	return infos, nil
}

// shownExits and shownEvents are how much of the past info shows.
const (
	shownExits  = 5
	shownEvents = 15
)

func (d *Daemon) info(s supervisor.Status) (Info, error) {
	spec := s.Spec
	spec.Env = nil // values stay where they are
	info := Info{
		Process: s.Process, Port: s.Port, Command: spec.Command.String(), Cwd: spec.Cwd, Cgroup: s.Cgroup, Spec: spec,
		LogDir: strings.Join([]string{d.Home.Logs(), s.App, s.Name}, "/"), Exits: []muster.Exit{}, PIDs: []int{},
	}
	if s.PID != 0 {
		info.PIDs = d.engine.Tree(s.ID)
	}
	if !s.RetryAt.IsZero() {
		info.RetryAt = &s.RetryAt
	}
	d.mu.Lock()
	if r := d.apps[s.App]; r != nil {
		info.Environment = supervisor.EnvironmentNames(r.App, &s.Spec, r.Environment.Config)
	}
	d.mu.Unlock()
	past, err := d.store.Events(store.EventQuery{App: s.App, Type: s.Type, Slot: s.Slot, Last: 200})
	if err != nil {
		return Info{}, err
	}
	for i := len(past) - 1; i >= 0 && len(info.Exits) < shownExits; i-- {
		if past[i].Exit != nil {
			info.Exits = append(info.Exits, *past[i].Exit)
		}
	}
	info.Events = past[max(0, len(past)-shownEvents):]
	return info, nil
}

// A LogRequest selects log lines.
type LogRequest struct {
	Target
	Last   int           `json:"last"` // -1: all
	Since  time.Time     `json:"since,omitzero"`
	Stream muster.Stream `json:"stream,omitempty"`
	Grep   string        `json:"grep,omitempty"`
	Follow bool          `json:"follow,omitempty"`
}

// Logs emits log lines, and with Follow goes on until ctx ends. A process that
// is no longer part of the formation still has its log.
func (d *Daemon) Logs(ctx context.Context, req LogRequest, emit func(logs.Entry) error) error {
	sel, err := d.selectLogs(req.Target)
	if err != nil {
		return err
	}
	query, err := logQuery(req, sel)
	if err != nil {
		return err
	}
	if req.Follow {
		return d.logs.Follow(ctx, query, emit)
	}
	return d.logs.Read(ctx, query, emit)
}

// CheckLogs refuses what Logs would, before a stream is opened.
func (d *Daemon) CheckLogs(req LogRequest) error {
	sel, err := d.selectLogs(req.Target)
	if err == nil {
		_, err = logQuery(req, sel)
	}
	return err
}

// selectLogs also accepts "muster": Muster's own log.
func (d *Daemon) selectLogs(t Target) (Selection, error) {
	if len(t.Names) == 1 && t.Names[0] == "muster" {
		return Selection{{App: "muster"}}, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	sel, err := d.resolve(t)
	switch {
	case err == nil:
		return sel, nil
	case len(t.Names) == 0 && t.App == "":
		return d.resolve(Target{Names: []string{"all"}})
	}
	here, _ := d.here(t)
	if past := d.selectPast(t, here); len(past) > 0 {
		return past, nil
	}
	return nil, err
}

// selectPast finds what is no more, but has left its log.
func (d *Daemon) selectPast(t Target, here string) (sel Selection) {
	slots, err := d.logs.Slots(logs.Query{})
	if err != nil {
		return nil
	}
	for _, s := range slots {
		for _, name := range t.Names {
			inside := s.App == here && (name == s.Type || name == s.Name())
			if inside || name == s.App || name == s.App+"/"+s.Type || name == s.String() {
				sel = append(sel, s)
			}
		}
	}
	return sel
}

// Events returns events after an ID, and a channel that tells when there are
// more.
func (d *Daemon) Events(q store.EventQuery) (events []muster.Event, changed <-chan struct{}, err error) {
	_, changed = d.journal.Stored()
	events, err = d.store.Events(q)
	return events, changed, err
}

func logQuery(req LogRequest, sel Selection) (logs.Query, error) {
	q := logs.Query{Match: sel.Match, Last: req.Last, Since: req.Since, Stream: req.Stream}
	if apps := sel.Apps(); len(apps) == 1 {
		q.App = apps[0]
	}
	if req.Grep != "" {
		re, err := regexp.Compile(req.Grep)
		if err != nil {
			return q, muster.Errorf(muster.CodeUsage, "a regular expression in RE2's syntax", "--grep: %w", err)
		}
		q.Grep = re
	}
	return q, nil
}
