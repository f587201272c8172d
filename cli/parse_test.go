package cli

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster"
	"muster/api"
)

func TestAgo(t *testing.T) {
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.Local)
	good := map[string]time.Time{
		"": {}, "90s": now.Add(-90 * time.Second), "1h30m": now.Add(-90 * time.Minute), "2d": now.Add(-48 * time.Hour), "0.5d": now.Add(-12 * time.Hour),
		"2026-01-31": time.Date(2026, 1, 31, 0, 0, 0, 0, time.Local), "2026-01-31 12:30": time.Date(2026, 1, 31, 12, 30, 0, 0, time.Local),
		"2026-01-31T12:30:00Z": time.Date(2026, 1, 31, 12, 30, 0, 0, time.UTC),
	}
	for text, want := range good {
		if got, err := ago(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"yesterday", "d", "-1d", "nand", "infd", "Infd", "1e300d", "10", "2026-02-30", "1w"} {
		got, err := ago(text, now)
		if err == nil {
			t.Errorf("%q is taken for %v", text, got)
		} else if muster.AsError(err).Code != muster.CodeUsage {
			t.Errorf("%q: %v is no usage error", text, err)
		}
	}
}

func TestParseScale(t *testing.T) {
	got, err := parseScale([]string{"web=4", "worker+1", "my-type-1", "a@2", "b_c=0", " x=1 "})
	want := []api.ScaleChange{{Type: "web", Op: "=", N: 4}, {Type: "worker", Op: "+", N: 1}, {Type: "my-type", Op: "-", N: 1},
		{Type: "a", Op: "=", N: 2}, {Type: "b_c", Op: "=", N: 0}, {Type: "x", Op: "=", N: 1}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	for _, bad := range []string{"", "web", "web=", "=4", "web=x", "web=-1", "web=1.5", "web.1=2", "web=1001", "web=99999999999999999999", "web = 4", "web=0x2", "a/b=1"} {
		if got, err := parseScale([]string{bad}); err == nil {
			t.Errorf("%q is taken for %+v", bad, got)
		}
	}
}

func TestTranslate(t *testing.T) {
	cases := map[string]string{
		"ps:scale web=2":             "scale web=2",
		"config:set A=1":             "config set A=1",
		"-a shop config:get A":       "-a shop config get A",
		"--app shop ps:restart web":  "--app shop restart web",
		"--app=shop ps:stop":         "--app=shop stop",
		"--json ps":                  "--json ps",
		"kill":                       "daemon stop",
		"run kill 1":                 "run kill 1",
		"start ps:scale":             "start ps:scale",
		"-a kill ps":                 "-a kill ps",
		"logs --tail":                "logs --tail",
		"":                           "",
		"--no-color config:unset A":  "--no-color config unset A",
		"sendSignal HUP web":         "signal HUP web",
		"nothing:like this":          "nothing:like this",
		"run -- ps:scale":            "run -- ps:scale",
		"-a shop --json kill --help": "-a shop --json daemon stop --help",
	}
	for given, want := range cases {
		args := strings.Fields(given)
		if got := strings.Join(translate(args), " "); got != want {
			t.Errorf("%q became %q, want %q", given, got, want)
		}
		if strings.Join(args, " ") != given {
			t.Errorf("%q was changed in place", given)
		}
	}
}

func TestExitCodes(t *testing.T) {
	cases := []struct {
		err    error
		code   int
		silent bool
	}{
		{nil, 0, true},
		{exitError(137), 137, true},
		{syscall.EPIPE, 0, true},
		{errors.New("odd"), 1, false},
		{muster.Errorf(muster.CodeFailed, "", "x"), 1, false},
		{muster.Errorf(muster.CodeNotFound, "", "x"), 1, false},
		{muster.Errorf(muster.CodeUsage, "y", "x"), 2, false},
		{fmt.Errorf("deep: %w", muster.Errorf(muster.CodeUsage, "", "x")), 2, false},
		{usageError{errors.New("bad flag")}, 2, false},
		{errors.New(`unknown command "x" for "muster"`), 2, false},
	}
	for _, c := range cases {
		var stderr bytes.Buffer
		tm := &terminal{err: &stderr, out: &stderr}
		if got := tm.exitCode(c.err); got != c.code {
			t.Errorf("%v: exit code %d, want %d", c.err, got, c.code)
		}
		if (stderr.Len() == 0) != c.silent {
			t.Errorf("%v: it says %q", c.err, stderr.String())
		}
	}
}

func TestTablesAlign(t *testing.T) {
	tab := table{header: []string{"NAME", "N", "END"}, right: map[int]bool{1: true}, rows: [][]cell{
		{{"a", 0}, {"1", 0}, {"x", 0}}, {{"längster", green}, {"1000", red}, {"", 0}}, {{"日本", 0}, {"", 0}, {"y", 0}},
	}}
	want := "NAME         N  END\na            1  x\nlängster  1000\n日本              y\n"
	for _, color := range []bool{false, true} {
		var out bytes.Buffer
		tm := &terminal{out: &out, color: color}
		if err := tm.printTable(tab); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, escapes.Replace(out.String())); diff != "" {
			t.Errorf("colour %v: %s", color, diff)
		}
	}
}

var escapes = strings.NewReplacer("\x1b[90m", "", "\x1b[32m", "", "\x1b[31m", "", "\x1b[0m", "")

func TestShortForms(t *testing.T) {
	durations := map[time.Duration]string{0: "0s", 59 * time.Second: "59s", time.Minute: "1m", 59*time.Minute + 59*time.Second: "59m", 47 * time.Hour: "47h", 48 * time.Hour: "2d"}
	for d, want := range durations {
		if got := shortDuration(d); got != want {
			t.Errorf("%s: %s, want %s", d, got, want)
		}
	}
	sizes := map[int64]string{0: "-", 1 << 20: "1.0M", 10 << 20: "10M", 1 << 30: "1024M", 10 << 30: "10.0G"}
	for n, want := range sizes {
		if got := shortBytes(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
