package supervisor

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster"
)

// environOf returns the environment a slot was spawned with.
func (w *world) environOf(name string) map[string]string {
	w.Helper()
	for _, spec := range w.keeper.order {
		if slot, _ := slotOfID(spec.ID); slot.Name() == name {
			env := map[string]string{}
			for _, entry := range spec.Env {
				key, value, _ := strings.Cut(entry, "=")
				if _, twice := env[key]; twice {
					w.Errorf("%s is there twice", key)
				}
				env[key] = value
			}
			return env
		}
	}
	w.Fatalf("%s was never started", name)
	return nil
}

func TestEnvironmentPrecedence(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		layer := func(value string, names ...string) muster.Env {
			env := muster.Env{}
			for _, n := range names {
				env[n] = value
			}
			return env
		}
		o := order(newType("web", func(p *muster.ProcessType) { p.Env = layer("type", "C", "D", "E") }))
		o.Environment.Base = layer("shell", "A", "B", "C", "D", "E")
		o.App.Env = layer("dotenv", "B", "C", "D", "E")
		o.Environment.Config = layer("config", "D", "E", "PS", "MUSTER_APP", "PORT")
		w.apply(o)
		want := map[string]string{
			"A": "shell", "B": "dotenv", "C": "type", "D": "config", "E": "config",
			"PS": "web.1", "DYNO": "web.1", "MUSTER_APP": "shop", "MUSTER_PROCESS": "web.1", "PORT": "40000",
		}
		if diff := cmp.Diff(want, w.environOf("web.1")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestExactlyTheseVariablesAreAdded(t *testing.T) {
	common := []string{"DYNO", "MUSTER_APP", "MUSTER_PROCESS", "PORT", "PS"}
	cases := []struct {
		name string
		typ  muster.ProcessType
		more []string
	}{
		{"plain", newType("a"), nil},
		{"sockets", newType("a", withSocket), []string{"LISTEN_FDNAMES", "LISTEN_FDS"}},
		{"node", newType("a", func(p *muster.ProcessType) { p.Command = muster.Command{Shell: "FOO=1 node app.js"} }), []string{"NODE_APP_INSTANCE"}},
		{"no node", newType("a", func(p *muster.ProcessType) { p.Command = muster.Command{Shell: "echo node"} }), nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				o := order(c.typ)
				w.apply(o)
				var got []string
				for name := range w.environOf("a.1") {
					got = append(got, name)
				}
				slices.Sort(got)
				want := slices.Sorted(slices.Values(append(slices.Clone(common), c.more...)))
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
				shown := EnvironmentNames(o.App, &o.App.Types[0], nil)
				for _, name := range got {
					if !slices.Contains(shown, name) {
						t.Errorf("muster check does not name %s", name)
					}
				}
			})
		})
	}
}

func TestShellEnvironment(t *testing.T) {
	shell := []string{"PATH=/bin", "HOME=/h", "TERM=xterm", "MUSTER_HOME=/m", "PORT=1", "NOTIFY_SOCKET=/n", "LISTEN_FDS=2", "SSH_AUTH_SOCK=/s", "=odd", "nonsense", "X=a=b"}
	if diff := cmp.Diff(muster.Env{"PATH": "/bin", "HOME": "/h", "X": "a=b"}, ShellEnvironment(shell, false)); diff != "" {
		t.Error(diff)
	}
	want := muster.Env{"PATH": "/bin", "HOME": "/h", "TERM": "xterm", "SSH_AUTH_SOCK": "/s", "X": "a=b"}
	if diff := cmp.Diff(want, ShellEnvironment(shell, true)); diff != "" {
		t.Errorf("dev: %s", diff)
	}
}
