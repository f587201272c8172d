package formation

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster"
)

func shop(types ...muster.ProcessType) Desired {
	d := Desired{App: &muster.App{Name: "shop", Dir: "/shop"}, Counts: map[string]int{}}
	for _, t := range types {
		d.Counts[t.Name] = max(1, t.Scale.N)
		d.App.Types = append(d.App.Types, t.WithDefaults(d.App))
	}
	return d
}

func typ(name string, with ...func(*muster.ProcessType)) muster.ProcessType {
	t := muster.ProcessType{Name: name, Command: muster.Command{Shell: "run " + name}}
	for _, f := range with {
		f(&t)
	}
	return t
}

func TestDiff(t *testing.T) {
	with := func(f func(*muster.ProcessType)) Desired { return shop(typ("web", f)) }
	base := shop(typ("web"))
	moved := shop(typ("web"))
	moved.App.Dir = "/elsewhere"
	dotenv := shop(typ("web"))
	dotenv.App.Env = muster.Env{"A": "1"}
	inType := with(func(p *muster.ProcessType) { p.Env = muster.Env{"A": "1"} })
	emptied := with(func(p *muster.ProcessType) { p.Env, p.Sockets = muster.Env{}, []muster.Socket{} })
	cases := []struct {
		name     string
		old, new Desired
		want     string
	}{
		{"first start", Desired{}, shop(typ("web"), typ("worker")), "+ web: start 1\n+ worker: start 1"},
		{"nothing", base, shop(typ("web")), "= web: unchanged"},
		{"empty is absent", base, emptied, "= web: unchanged"},
		{"command", base, with(func(p *muster.ProcessType) { p.Command.Shell = "other" }), "~ web: replace 1 (command changed)"},
		{"shell to argv", base, with(func(p *muster.ProcessType) { p.Command = muster.Command{Argv: []string{"run", "web"}} }), "~ web: replace 1 (command changed)"},
		{"two fields", base, with(func(p *muster.ProcessType) { p.Command.Shell, p.Port = "other", 80 }), "~ web: replace 1 (command, port changed)"},
		{"environment", base, dotenv, "~ web: replace 1 (environment changed)"},
		{"the same variable elsewhere", dotenv, inType, "= web: unchanged"},
		{"directory and cwd", base, moved, "~ web: replace 1 (directory changed)"},
		{"limits", base, with(func(p *muster.ProcessType) { p.Limits.Memory = 1 << 20 }), "~ web: replace 1 (limits changed)"},
		{"user", base, with(func(p *muster.ProcessType) { p.User = "www" }), "~ web: replace 1 (user changed)"},
		{"sockets", base, with(func(p *muster.ProcessType) {
			p.Sockets = []muster.Socket{{Name: "web", Network: "tcp", Address: ":80"}}
		}), "~ web: replace 1 (sockets changed)"},
		{"only care", base, with(func(p *muster.ProcessType) { p.Restart.Mode, p.Log.Keep = "never", 3 }), "~ web: log, restart changed, nothing restarts"},
		{"probe", base, with(func(p *muster.ProcessType) { p.Ready = &muster.Probe{Kind: "http"} }), "~ web: ready changed, nothing restarts"},
		{"scale", base, with(func(p *muster.ProcessType) { p.Scale.N = 3 }), "~ web: scale 1 -> 3"},
		{"scale and command", base, with(func(p *muster.ProcessType) { p.Scale.N, p.Command.Shell = 3, "x" }), "~ web: replace 3 (command changed)"},
		{"renamed", base, shop(typ("api")), "+ api: start 1\n- web: stop 1"},
		{"reordered", shop(typ("a"), typ("b")), shop(typ("b"), typ("a")), "= b: unchanged\n= a: unchanged"},
		{"release", Desired{}, shop(typ("release"), typ("web"), typ("postdeploy")), "+ web: start 1"},
		{"release gone", shop(typ("release"), typ("web")), base, "= web: unchanged"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, change := range Diff(c.old, c.new) {
				got = append(got, change.String())
			}
			if diff := cmp.Diff(c.want, strings.Join(got, "\n")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestBlocked(t *testing.T) {
	on := func(c muster.Condition) *muster.ProcessType {
		return &muster.ProcessType{DependsOn: []muster.Dependency{{Type: "db", Condition: c}}}
	}
	cases := []struct {
		condition muster.Condition
		progress  Progress
		blocked   bool
	}{
		{muster.ConditionStarted, Progress{Wanted: 2, Started: 1}, true},
		{muster.ConditionStarted, Progress{Wanted: 2, Started: 2}, false},
		{muster.ConditionReady, Progress{Wanted: 2, Started: 2, Up: 1}, true},
		{muster.ConditionReady, Progress{Wanted: 2, Up: 2}, false},
		{muster.ConditionCompleted, Progress{Wanted: 1, Started: 1, Up: 1}, true},
		{muster.ConditionCompleted, Progress{Wanted: 1, Completed: 1}, false},
		{muster.ConditionReady, Progress{}, false}, // scaled to zero
		{muster.ConditionCompleted, Progress{}, false},
	}
	for _, c := range cases {
		got := Blocked(on(c.condition), func(string) Progress { return c.progress })
		if (got != "") != c.blocked {
			t.Errorf("%s with %+v: %q", c.condition, c.progress, got)
		}
	}
	both := &muster.ProcessType{DependsOn: []muster.Dependency{{Type: "db", Condition: "ready"}, {Type: "seed", Condition: "completed"}}}
	got := Blocked(both, func(string) Progress { return Progress{Wanted: 1} })
	if got != "waits for db to be ready and seed to be completed" {
		t.Errorf("%q", got)
	}
}

func TestDependents(t *testing.T) {
	on := func(name string) func(*muster.ProcessType) {
		return func(p *muster.ProcessType) { p.DependsOn = append(p.DependsOn, muster.Dependency{Type: name}) }
	}
	types := []muster.ProcessType{typ("web", on("db")), typ("api", on("db"), on("cache")), typ("db"), typ("cache")}
	if diff := cmp.Diff([]string{"api", "web"}, Dependents(types, "db")); diff != "" {
		t.Error(diff)
	}
	if got := Dependents(types, "web"); got != nil {
		t.Errorf("%v depend on web", got)
	}
}

func TestPolicyOf(t *testing.T) {
	p := PolicyOf(typ("web", func(t *muster.ProcessType) { t.Stop.Command = muster.Command{Argv: []string{"nginx", "-s", "quit"}} }), nil)
	if p.StopWith != "nginx -s quit" || p.Probes {
		t.Errorf("%+v", p)
	}
}
