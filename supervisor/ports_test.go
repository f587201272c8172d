package supervisor

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster"
)

func TestPortOf(t *testing.T) {
	a := &muster.App{PortBase: 5000, Types: []muster.ProcessType{{Name: "web"}, {Name: "worker"}, {Name: "fixed", Port: 8080}}}
	free := &muster.App{Types: a.Types}
	cases := []struct {
		app        *muster.App
		i, n, want int
	}{
		{a, 0, 1, 5000}, {a, 0, 3, 5002}, {a, 1, 1, 5100}, {a, 2, 1, 8080}, {a, 2, 2, 8081}, {free, 0, 1, 0}, {free, 2, 1, 8080},
	}
	for _, c := range cases {
		if got := PortOf(c.app, c.i, c.n); got != c.want {
			t.Errorf("type %d slot %d of base %d: %d, want %d", c.i, c.n, c.app.PortBase, got, c.want)
		}
	}
}

func (w *world) ports() map[string]int {
	ports := map[string]int{}
	for _, s := range w.engine.Processes() {
		ports[s.App+"/"+s.Name] = s.Port
	}
	return ports
}

func TestPortsFollowTheScheme(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		o := order(newType("web"), newType("worker"))
		o.Counts["web"] = 2
		w.apply(o)
		want := map[string]int{"shop/web.1": 40000, "shop/web.2": 40001, "shop/worker.1": 40100}
		if diff := cmp.Diff(want, w.ports()); diff != "" {
			t.Error(diff)
		}
	})
}

// Two apps that ask for the same ports: the second gets others, and keeps them.
func TestACollidingPortStays(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.apply(order(newType("web")))
		other := order(newType("web"))
		other.App.Name = "blog"
		w.apply(other)
		first := w.ports()["blog/web.1"]
		if first == 40000 || first == 0 {
			t.Fatalf("blog/web.1 has port %d", first)
		}
		for range 5 {
			w.apply(other)
			if now := w.ports()["blog/web.1"]; now != first {
				t.Fatalf("blog/web.1 runs with PORT=%d, but is said to have %d after another start", first, now)
			}
		}
	})
}

func TestTwoTypesOfOneFixedPort(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		fixed := func(p *muster.ProcessType) { p.Port = 40500 }
		w.apply(order(newType("a", fixed), newType("b", fixed)))
		p := w.ports()
		if p["shop/a.1"] != 40500 || p["shop/b.1"] == 40500 || p["shop/b.1"] == 0 {
			t.Errorf("ports %v", p)
		}
	})
}

func TestFreePortsStay(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		o := order(newType("web"))
		o.App.PortBase = 0
		w.apply(o)
		first := w.ports()
		w.apply(o)
		if diff := cmp.Diff(first, w.ports()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestChoosePortBase(t *testing.T) {
	a := &muster.App{Types: []muster.ProcessType{{Name: "web"}}}
	first := ChoosePortBase(a, map[string]int{}, nil)
	second := ChoosePortBase(a, map[string]int{}, []int{first})
	if first != DefaultPort || second != DefaultPort+PortBasePitch {
		t.Errorf("bases %d and %d", first, second)
	}
}
