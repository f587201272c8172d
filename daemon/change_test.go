package daemon

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster"
)

// Two people who set config vars at the same time both have their way.
func TestConfigSetAtTheSameTime(t *testing.T) {
	d := newDaemon(t)
	start(t, d, shop("worker"))
	const people = 16
	var setting sync.WaitGroup
	for i := range people {
		setting.Go(func() {
			set := muster.Env{fmt.Sprintf("VAR_%d", i): "x"}
			if _, err := d.SetConfig(t.Context(), Target{App: "shop"}, set, nil, noProgress); err != nil {
				t.Error(err)
			}
		})
	}
	setting.Wait()
	_, config, err := d.Config(Target{App: "shop"})
	if err != nil || len(config) != people {
		t.Errorf("%d of %d config vars are there: %v", len(config), people, err)
	}
}

func TestScaleIsAllOrNothing(t *testing.T) {
	d := newDaemon(t)
	start(t, d, shop("web2", "worker"))
	cases := []struct {
		changes []ScaleChange
		code    muster.Code
	}{
		{[]ScaleChange{{"worker", "=", 3}, {"nobody", "=", 1}}, muster.CodeNotFound},
		{[]ScaleChange{{"worker", "-", 2}}, muster.CodeInvalid},
		{[]ScaleChange{{"worker", "+", muster.MaxScale}}, muster.CodeInvalid},
	}
	for _, c := range cases {
		_, err := d.Scale(t.Context(), Target{App: "shop"}, c.changes, noProgress)
		if err == nil || muster.AsError(err).Code != c.code {
			t.Errorf("%v: %v", c.changes, err)
		}
	}
	if diff := cmp.Diff(map[string]int{"web2": 1, "worker": 1}, d.apps["shop"].Counts); diff != "" {
		t.Error(diff)
	}
	if _, err := d.Scale(t.Context(), Target{App: "shop"}, []ScaleChange{{"worker", "+", 2}, {"web2", "=", 0}}, noProgress); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"web2": 0, "worker": 3}, d.apps["shop"].Counts); diff != "" {
		t.Error(diff)
	}
	// A scale by hand stays, until the manifest's changes.
	start(t, d, shop("web2", "worker"))
	if n := d.apps["shop"].Counts["worker"]; n != 3 {
		t.Errorf("after another start there are %d workers", n)
	}
}

func TestAnotherDirectoryIsAConflict(t *testing.T) {
	d := newDaemon(t)
	start(t, d, shop("worker"))
	other := shop("worker")
	other.Dir = "/elsewhere"
	if _, err := d.Start(t.Context(), StartRequest{App: other}, noProgress); muster.AsError(err).Code != muster.CodeConflict {
		t.Errorf("err = %v", err)
	}
}

func TestStopStaysAndDeleteForgets(t *testing.T) {
	d := newDaemon(t)
	start(t, d, shop("worker"))
	if _, err := d.Stop(t.Context(), Target{Names: []string{"shop/worker.1"}}, noProgress); err != nil {
		t.Fatal(err)
	}
	if got := d.apps["shop"].Stopped; len(got) != 1 || got[0] != "worker.1" {
		t.Errorf("stopped: %v", got)
	}
	if _, err := d.Delete(t.Context(), Target{Names: []string{"shop"}}, noProgress); err != nil {
		t.Fatal(err)
	}
	_ = d.store.Apps(func(name string, _ []byte) error { t.Errorf("%s is still stored", name); return nil })
}

func TestTargets(t *testing.T) {
	d := newDaemon(t)
	start(t, d, shop("web2", "worker"))
	cases := []struct {
		target Target
		want   Selection
		code   muster.Code
	}{
		{Target{Names: []string{"shop"}}, Selection{{App: "shop"}}, ""},
		{Target{Names: []string{"shop/worker"}}, Selection{{App: "shop", Type: "worker"}}, ""},
		{Target{Names: []string{"shop/worker.1"}}, Selection{{App: "shop", Type: "worker", N: 1}}, ""},
		{Target{Names: []string{"worker.1"}, Dir: "/shop"}, Selection{{App: "shop", Type: "worker", N: 1}}, ""},
		{Target{Names: []string{"worker"}, App: "shop"}, Selection{{App: "shop", Type: "worker"}}, ""},
		{Target{Names: []string{"all"}}, Selection{{App: "shop"}}, ""},
		{Target{Dir: "/shop"}, Selection{{App: "shop"}}, ""},
		{Target{Dir: "/other"}, nil, muster.CodeUsage},
		{Target{Names: []string{"worker"}}, nil, muster.CodeNotFound},
		{Target{Names: []string{"shop/worker.2"}}, nil, muster.CodeNotFound},
		{Target{Names: []string{"shop/worker.0"}}, nil, muster.CodeNotFound},
		{Target{Names: []string{"shop/"}}, nil, muster.CodeNotFound},
		{Target{App: "none"}, nil, muster.CodeNotFound},
	}
	for _, c := range cases {
		d.mu.Lock()
		got, err := d.resolve(c.target)
		d.mu.Unlock()
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%+v: %s", c.target, diff)
		}
		if c.code != "" && (err == nil || muster.AsError(err).Code != c.code) {
			t.Errorf("%+v: %v, want %s", c.target, err, c.code)
		}
	}
}
