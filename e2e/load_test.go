package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster"
)

// A load is an app under fire: two writers, two servers on one socket, and
// callers that never pause.
type load struct {
	*machine
	truth   string // what the writers wrote
	callers *callers
	before  map[string]muster.Process
}

const loadManifest = `
name = "shop"

[web]
command = [%[1]q, "e2e:server"]
scale = 2
sockets = ["tcp:127.0.0.1:%[2]d"]

[writer]
command = "exec %[1]s e2e:writer %[3]s $PS"
scale = 2
log = {max_size = "1MB", keep = 200, compress = false}

[packed]
command = "exec %[1]s e2e:writer %[3]s $PS"
log = {max_size = "1MB", keep = 200}
`

var loadWriters = []string{"writer.1", "writer.2", "packed.1"}

func startLoad(t *testing.T) *load {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	l := &load{machine: newMachine(t)}
	l.truth = filepath.Join(l.root, "truth")
	port := freePort()
	l.manifest(fmt.Sprintf(loadManifest, self, port, l.truth))
	l.run("start")
	l.before = l.ps()
	if len(l.before) != 5 {
		t.Fatalf("%d processes were started, not 5", len(l.before))
	}
	l.callers = call(fmt.Sprintf("127.0.0.1:%d", port), 2)
	t.Cleanup(func() {
		if l.callers != nil {
			l.callers.end()
		}
	})
	return l
}

// untouched asks ps, and compares with what was started.
func (l *load) untouched(when string) {
	l.t.Helper()
	now := l.ps()
	if len(now) != len(l.before) {
		l.t.Fatalf("%s: %d processes, not %d", when, len(now), len(l.before))
	}
	for name, was := range l.before {
		is := now[name]
		if is.PID != was.PID || is.Restarts != 0 || is.State != muster.StateUp {
			l.t.Fatalf("%s: %s is %s (%s) with pid %d after %d restarts; it was started with pid %d",
				when, name, is.State, is.Reason, is.PID, is.Restarts, was.PID)
		}
	}
}

// finish ends the writers and checks that nothing was refused or lost.
func (l *load) finish() {
	l.t.Helper()
	failed := l.callers.end()
	calls := l.callers.calls.Load()
	l.callers = nil
	if len(failed) > 0 || calls == 0 {
		l.t.Errorf("of %d connections %d failed: %s", calls, len(failed), strings.Join(failed[:min(len(failed), 10)], "; "))
	}
	if err := os.WriteFile(filepath.Join(l.truth, "stop"), nil, 0o644); err != nil {
		l.t.Fatal(err)
	}
	total := 0
	for _, name := range loadWriters {
		total += l.compare(name)
	}
	l.untouched("at the end")
	l.t.Logf("%d connections; %.1f MB of log", calls, float64(total)/(1<<20))
}

// compare reads a writer's logs in every way and compares with its own copy.
func (l *load) compare(name string) (total int) {
	l.t.Helper()
	dir := filepath.Join(l.truth, name)
	eventually(l.t, name+" writes its last line", func() bool {
		done, _ := filepath.Glob(filepath.Join(dir, "done.*"))
		return len(done) == 1
	})
	for _, stream := range []string{"out", "err"} {
		want, err := os.ReadFile(filepath.Join(dir, stream))
		if err != nil {
			l.t.Fatal(err)
		}
		total += len(want)
		got := ""
		if !within(patience/4, func() bool { // the pump may still have the last of it
			got = l.run("logs", "--raw", "-n", "-1", "--stream", stream, "shop/"+name)
			return got == string(want)
		}) {
			l.t.Errorf("muster logs of %s's std%s: %s", name, stream, difference([]byte(got), want))
		}
		if name != "packed.1" {
			l.compareSegments(name, stream, want)
		}
	}
	return total
}

// compareSegments reads the files themselves, as another program would.
func (l *load) compareSegments(name, stream string, want []byte) {
	l.t.Helper()
	files, _ := filepath.Glob(filepath.Join(l.home, "logs", "shop", name, "*.log")) // sorted, so in order
	var got []byte
	lines := int64(0)
	for _, file := range files {
		segment, ok := muster.ParseSegmentName(filepath.Base(file))
		if !ok || segment.FirstLine != lines+1 {
			l.t.Errorf("%s begins with line %d", file, lines+1)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			l.t.Fatal(err)
		}
		for record := range bytes.Lines(data) {
			line, ok := muster.ParseLine(bytes.TrimSuffix(record, []byte("\n")))
			if !ok {
				l.t.Fatalf("%s: torn record %.200q", file, record)
			}
			if !line.Partial {
				lines++
			}
			if string(line.Stream) == "std"+stream {
				got = append(got, line.Text...)
				if !line.Partial {
					got = append(got, '\n')
				}
			}
		}
	}
	if !bytes.Equal(got, want) {
		l.t.Errorf("segments of %s's std%s: %s", name, stream, difference(got, want))
	}
}

// difference says where two logs part.
func difference(got, want []byte) string {
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	show := func(b []byte) string { return fmt.Sprintf("%.120q", b[max(0, min(at, len(b))-20):]) }
	return fmt.Sprintf("%d bytes, %d were written; from byte %d on %s, written was %s", len(got), len(want), at, show(got), show(want))
}
