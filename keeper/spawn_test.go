package keeper

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster"
	"muster/proctree"
)

func TestExits(t *testing.T) {
	r := newRig(t, Options{})
	for script, want := range map[string]Exit{
		"exit 0":      {},
		"exit 3":      {Code: 3},
		"kill -9 $$":  {Code: -1, Signal: 9},
		"kill -15 $$": {Code: -1, Signal: 15},
		"kill -6 $$":  {Code: -1, Signal: 6},
	} {
		got := r.ended(r.sh(script).ID)
		if got.Code != want.Code || got.Signal != want.Signal || got.Left || got.At.IsZero() || got.MaxRSS == 0 {
			t.Errorf("%s: %+v", script, got)
		}
	}
}

// TestLastWords: everything a process wrote is passed on before its end is told.
func TestLastWords(t *testing.T) {
	r := newRig(t, Options{})
	held := r.sh(`i=0; while [ $i -lt 2000 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done; printf last`)
	r.ended(held.ID)
	for stream, last := range map[muster.Stream]string{muster.Stdout: "out 1999\nlast\n", muster.Stderr: "err 1999\n"} {
		text := r.sink.text(stream)
		if !strings.HasSuffix(text, last) || strings.Count(text, "\n") < 2000 {
			t.Errorf("%s when the end was told: %d lines, ending in %q", stream, strings.Count(text, "\n"), text[max(0, len(text)-30):])
		}
	}
}

func TestSpawnFailures(t *testing.T) {
	r := newRig(t, Options{})
	dir := t.TempDir()
	file := func(name, text string, mode fs.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	plain, odd := file("plain", "#!/bin/sh\n", 0o644), file("odd", "\x01\x02", 0o755)
	lost := file("lost", "#!/no/such/interpreter\n", 0o755)
	before := openFDs(t)
	for name, c := range map[string]struct {
		spec Spec
		is   error
		says string
	}{
		"missing command":     {Spec{Argv: []string{"no-such-command"}}, nil, "no such program on its PATH"},
		"missing path":        {Spec{Argv: []string{"/no/such"}}, syscall.ENOENT, "/no/such"},
		"missing directory":   {Spec{Argv: []string{"true"}, Dir: "/no/such/dir"}, syscall.ENOENT, "/no/such/dir"},
		"directory is a file": {Spec{Argv: []string{"/bin/true"}, Dir: plain}, syscall.ENOTDIR, ""},
		"not executable":      {Spec{Argv: []string{plain}}, syscall.EACCES, plain},
		"not a program":       {Spec{Argv: []string{odd}}, syscall.ENOEXEC, odd},
		"missing interpreter": {Spec{Argv: []string{lost}}, syscall.ENOENT, lost},
		"no command":          {Spec{}, nil, "no command"},
		"empty command":       {Spec{Argv: []string{""}}, nil, "no command"},
		"unknown socket":      {Spec{Argv: []string{"true"}, Sockets: []string{"s"}}, nil, "s is not kept"},
		"missing descriptors": {Spec{Argv: []string{"true"}, Files: true}, nil, "0 descriptors"},
		"unknown cgroup":      {Spec{Argv: []string{"true"}, Cgroup: "/no/such/group"}, fs.ErrNotExist, ""},
		"NUL in an argument":  {Spec{Argv: []string{"true", "a\x00b"}}, syscall.EINVAL, ""},
	} {
		c.spec.ID = "shop/web.1@" + name
		_, err := r.Spawn(c.spec, nil)
		if err == nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if inv, _ := r.Inventory(); len(inv.Processes) != 0 {
		t.Errorf("held after failures: %+v", inv.Processes)
	}
	if after := openFDs(t); after > before+1 { // the runtime may have opened its poller
		t.Errorf("%d descriptors were open, now %d", before, after)
	}
}

func TestSpawnTwiceUnderOneID(t *testing.T) {
	r := newRig(t, Options{})
	r.start(Spec{ID: "shop/web.1@x", Argv: []string{"sleep", "1000"}})
	if _, err := r.Spawn(Spec{ID: "shop/web.1@x", Argv: []string{"sleep", "1000"}}, nil); err == nil {
		t.Error("a second process was started under the same ID")
	}
}

// TestSignalAfterReap: a signal to what has ended does nothing at all, whoever
// has its pid now.
func TestSignalAfterReap(t *testing.T) {
	r := newRig(t, Options{})
	held := r.sh("exit 0")
	r.ended(held.ID)
	for _, scope := range []Scope{ScopeProcess, ScopeGroup} {
		if err := r.Signal(held.ID, syscall.SIGKILL, scope); err != nil {
			t.Errorf("%s: %v", scope, err)
		}
	}
	if err := r.Forget(held.ID); err != nil {
		t.Error(err)
	}
	if err := r.Signal(held.ID, syscall.SIGKILL, ScopeProcess); !errors.Is(err, errUnknown) {
		t.Errorf("signal to a forgotten process: %v", err)
	}
	if err := r.Forget(held.ID); !errors.Is(err, errUnknown) {
		t.Errorf("second forget: %v", err)
	}
}

func TestForgetRefusesTheLiving(t *testing.T) {
	r := newRig(t, Options{})
	if err := r.Forget(r.sh("exec sleep 1000").ID); err == nil {
		t.Error("a living process was forgotten")
	}
}

// TestSignalGroup reaches what the process started; the other scope does not.
func TestSignalGroup(t *testing.T) {
	r := newRig(t, Options{})
	file := filepath.Join(t.TempDir(), "pid")
	held := r.sh(fmt.Sprintf("sleep 1000 & echo $! > %s; wait", file))
	child := pidIn(t, file)
	if err := r.Signal(held.ID, syscall.SIGTERM, ScopeGroup); err != nil {
		t.Fatal(err)
	}
	if exit := r.ended(held.ID); exit.Signal != int(syscall.SIGTERM) {
		t.Errorf("%+v", exit)
	}
	eventually(t, "the group's other member ends", func() bool { return !alive(child) })
}

func TestKeepFetchDrop(t *testing.T) {
	r := newRig(t, Options{})
	before := openFDs(t)
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // keeping again replaces
		if err := r.Keep("note", file); err != nil {
			t.Fatal(err)
		}
	}
	file.Close() // the keeper has its own
	got, err := r.Fetch("note")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := got.WriteString("still open"); err != nil {
		t.Error(err)
	}
	got.Close()
	if inv, _ := r.Inventory(); cmp.Diff([]string{"note"}, inv.Files) != "" {
		t.Errorf("kept: %v", inv.Files)
	}
	if err := errors.Join(r.Drop("note"), r.Drop("note"), r.Drop("never")); err != nil {
		t.Error(err)
	}
	if _, err := r.Fetch("note"); err == nil {
		t.Error("fetched what was dropped")
	}
	if after := openFDs(t); after != before {
		t.Errorf("%d descriptors were open, now %d", before, after)
	}
}

// TestSockets: kept descriptors are 3, 4, ... in the process, in the order it
// asked for, and nothing else of the keeper's is open in it.
func TestSockets(t *testing.T) {
	r := newRig(t, Options{})
	var inodes []string
	for _, name := range []string{"one", "two", "other"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		file, err := l.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		var stat syscall.Stat_t
		if err := syscall.Fstat(rawFD(file), &stat); err != nil {
			t.Fatal(err)
		}
		inodes = append(inodes, fmt.Sprintf("socket:[%d]", stat.Ino))
		if err := r.Keep(name, file); err != nil {
			t.Fatal(err)
		}
		file.Close()
		l.Close()
	}
	held := r.start(Spec{Argv: []string{"sleep", "1000"}, Sockets: []string{"two", "one"}})
	fds := fmt.Sprintf("/proc/%d/fd", held.PID)
	eventually(t, "sleep sleeps", func() bool { // and no longer reads its libraries
		p, ok := proctree.Stat(held.PID)
		return ok && p.Comm == "sleep" && p.State == 'S'
	})
	entries, err := os.ReadDir(fds)
	if err != nil {
		t.Fatal(err)
	}
	got := map[int]string{}
	for _, e := range entries {
		n, _ := strconv.Atoi(e.Name())
		if target, _ := os.Readlink(filepath.Join(fds, e.Name())); n > 2 {
			got[n] = target
		}
	}
	if diff := cmp.Diff(map[int]string{3: inodes[1], 4: inodes[0]}, got); diff != "" {
		t.Errorf("wanted (-), open in the process (+):\n%s", diff)
	}
}

// TestNothingLeaks spawns, ends and forgets again and again, and counts.
func TestNothingLeaks(t *testing.T) {
	r := newRig(t, Options{})
	dir := t.TempDir()
	cycle := func(i int) {
		spec := Spec{ID: fmt.Sprintf("shop/web.1@c%d", i), Argv: []string{"sh", "-c", "echo hello; echo there >&2"}}
		if i%2 == 0 {
			spec.Log = LogSpec{Dir: filepath.Join(dir, fmt.Sprint(i%4)), SegmentBytes: 1 << 20}
		}
		held := r.start(spec)
		r.ended(held.ID)
		if err := r.Forget(held.ID); err != nil {
			t.Fatal(err)
		}
	}
	cycle(-1)
	cycle(-2)
	before := openFDs(t)
	for i := range 200 {
		cycle(i)
	}
	if after := openFDs(t); after != before {
		t.Errorf("%d descriptors were open, now %d", before, after)
	}
	if inv, _ := r.Inventory(); len(inv.Processes) != 0 || len(r.byPID) != 0 || len(r.logs) != 0 {
		t.Errorf("%d processes, %d pids and %d logs are left in the tables", len(inv.Processes), len(r.byPID), len(r.logs))
	}
}

// TestForgetLeavesOthersLog: a process that writes no log must not give up the
// log of one that does.
func TestForgetLeavesOthersLog(t *testing.T) {
	r := newRig(t, Options{})
	log := LogSpec{Dir: filepath.Join(t.TempDir(), "web.1"), SegmentBytes: 1 << 20}
	r.start(Spec{Argv: []string{"sleep", "1000"}, Log: log})
	probe := r.start(Spec{Argv: []string{"true"}, Discard: true, Log: log})
	r.ended(probe.ID)
	if err := r.Forget(probe.ID); err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if l := r.logs[log.Dir]; l == nil || l.users != 1 {
		t.Errorf("the log of a living process was given up: %+v", l)
	}
}
