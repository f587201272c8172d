package supervisor

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"muster"
)

// execLines are lines of Procfiles. simple ones must leave the program, and no
// shell, under the pid that is watched.
var execLines = []struct {
	line   string
	simple bool
}{
	{"/bin/echo a b", true},
	{"  /bin/echo leading", true},
	{"\t/bin/echo tab", true},
	{"FOO=bar env_foo", true},
	{"FOO='a b' BAR=\"c d\" env_foo", true},
	{"FOO=a\\ b env_foo", true},
	{"FOO=$PORT env_foo", true},
	{"FOO+=more env_foo", true},
	{"FOO= env_foo", true},
	{"/bin/echo ${PORT}", true},
	{"/bin/echo $PORT \"$PORT\" '$PORT'", true},
	{"/bin/echo ${NONE:-default}", true},
	{"/bin/echo 'a; b' \"c && d\"", true},
	{"/bin/echo 'it'\\''s'", true},
	{"/bin/echo a\\;b", true},
	{"/bin/echo out 2>&1", true},
	{"/bin/echo err >&2", true},
	{"/bin/echo gone >/dev/null", true},
	{"/bin/echo gone &>/dev/null", true},
	{"/bin/cat </dev/null", true},
	{"/bin/cat <<<here", true},
	{"/bin/echo $'tab\\there'", true},
	{"'/bin/echo' quoted", true},
	{"$ECHO via a variable", true},
	{"/bin/echo http://host/#anchor", true},
	{"/bin/echo *.nothing ?x [ab]", true},
	{"/bin/echo ~root", true},
	{"/bin/echo a # a comment", true},
	{"/bin/echo a # it's a comment", true},

	{"/bin/echo a && /bin/echo b", false},
	{"/bin/echo a || /bin/echo b", false},
	{"/bin/echo a; /bin/echo b", false},
	{"/bin/echo a | /bin/cat", false},
	{"/bin/echo a & wait", false},
	{"/bin/echo a >&2& wait", false},
	{"/bin/echo a &>/dev/null & wait; /bin/echo b", false},
	{"/bin/echo a\n/bin/echo b", false},
	{"(/bin/echo sub)", false},
	{"{ /bin/echo group; }", false},
	{"if true; then /bin/echo yes; fi", false},
	{"for i in 1 2; do /bin/echo $i; done", false},
	{"while false; do :; done; /bin/echo done", false},
	{"[ -n \"$PORT\" ] && /bin/echo set", false},
	{"[[ -n $PORT ]] && /bin/echo set", false},
	{"cd / && /bin/pwd", false},
	{"cd /", false},
	{"export A=1; env_foo", false},
	{"export A=1", false},
	{"exec /bin/echo already", false},
	{"echo builtin", false},
	{"printf '%s\\n' builtin", false},
	{"test -n x", false},
	{"! /bin/false", false},
	{"A=1", false},
	{"A=1 B=2", false},
	{"# only a comment", false},
	{">/dev/null /bin/echo first", false},
	{"2>&1 /bin/echo first", false},
	{"/bin/echo `/bin/echo tick`", false},
	{"/bin/echo $(/bin/echo sub)", false},
	{"/bin/echo $((1+2))", false},
	{"/bin/echo {a,b}", false},
	{"time -p /bin/true", false},
	{"eval '/bin/echo evaluated'", false},
	{". /dev/null", false},
	{"trap '/bin/echo trapped' EXIT", false},
	{"ulimit -n", false},
	{"umask", false},
	{"typeset -r X=1", false},
	{"shift 0", false},
	{"times >/dev/null", false},
	{"getopts a x -a", false},
	{"pwd", false},
	{"kill -l TERM", false},
	{"/bin/echo \"unclosed", false},
	{"no_such_program_at_all", true},
}

// bashIn runs a line in a directory with a program env_foo that prints its pid
// (if asked), FOO and its arguments.
func bashIn(t *testing.T, bash, dir, line string, env ...string) (out string, pid, code int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	c := exec.Command(bash, "-c", line)
	c.Dir, c.Stdout, c.Stderr = dir, &stdout, &stderr
	c.Env = append([]string{"PATH=" + dir + ":/usr/bin:/bin", "PORT=5000", "ECHO=/bin/echo", "HOME=/"}, env...)
	err := c.Run()
	if _, failed := err.(*exec.ExitError); err != nil && !failed {
		t.Fatal(err)
	}
	// Messages name the line as it was given; only that there are any counts.
	said := "silent"
	if stderr.Len() > 0 {
		said = "complains"
	}
	return stdout.String() + "\n" + said, c.Process.Pid, c.ProcessState.ExitCode()
}

func TestExecMeansTheSame(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash on this machine")
	}
	dir := t.TempDir()
	program := "#!/bin/sh\necho \"FOO=$FOO $*\"\n"
	if err := os.WriteFile(filepath.Join(dir, "env_foo"), []byte(program), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range execLines {
		t.Run(c.line, func(t *testing.T) {
			given := Exec(c.line)
			wantOut, _, wantCode := bashIn(t, bash, dir, c.line)
			gotOut, _, gotCode := bashIn(t, bash, dir, given)
			if gotOut != wantOut || gotCode != wantCode {
				t.Errorf("%q became %q\n got %q, code %d\nwant %q, code %d", c.line, given, gotOut, gotCode, wantOut, wantCode)
			}
		})
	}
}

// The pid that is watched must be the program's, not a shell's.
func TestExecedProgramHasThePid(t *testing.T) {
	shells := []string{}
	for _, name := range []string{"bash", "dash"} {
		if path, err := exec.LookPath(name); err == nil {
			shells = append(shells, path)
		}
	}
	if len(shells) == 0 {
		t.Skip("there is neither bash nor dash on this machine")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mypid"), []byte("#!/bin/sh\necho $$\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	lines := []string{
		"mypid", "FOO=bar mypid", "FOO='a b' mypid x", "mypid ${PORT}", "mypid 2>&1", "mypid $PORT '; x'",
		"'mypid'", "mypid </dev/null", "mypid # comment", "PATH=$PATH mypid",
	}
	for _, shell := range shells {
		for _, line := range lines {
			t.Run(filepath.Base(shell)+"/"+line, func(t *testing.T) {
				out, pid, _ := bashIn(t, shell, dir, Exec(line))
				if first, _, _ := strings.Cut(out, "\n"); first != strconv.Itoa(pid) {
					t.Errorf("%q became %q: the program has pid %s, the watched one is %d", line, Exec(line), first, pid)
				}
			})
		}
	}
}

// Assignments before exec must reach the program in every shell we run.
func TestExecKeepsAssignments(t *testing.T) {
	for _, name := range []string{"bash", "dash", "sh"} {
		shell, err := exec.LookPath(name)
		if err != nil {
			t.Logf("there is no %s on this machine", name)
			continue
		}
		out, err := exec.Command(shell, "-c", Exec("FOO=bar printenv FOO")).Output()
		if err != nil || string(out) != "bar\n" {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
}

func FuzzExecNeverCutsAList(f *testing.F) {
	for _, c := range execLines {
		f.Add(c.line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		got := Exec(line)
		if got == line {
			return
		}
		at := strings.Index(got, "exec ")
		if at < 0 || got[:at]+got[at+len("exec "):] != line {
			t.Fatalf("%q became %q: more than exec was added", line, got)
		}
	})
}

func TestArgv(t *testing.T) {
	s := New(Options{Shell: "/bin/sh"})
	cases := []struct {
		command muster.Command
		sockets bool
		want    string
	}{
		{muster.Command{Argv: []string{"a", "b c"}}, false, "a|b c"},
		{muster.Command{Argv: []string{"a", "b c"}}, true, `/bin/sh|-c|export LISTEN_PID=$$; exec "$@"|muster|a|b c`},
		{muster.Command{Shell: "a b"}, false, "/bin/sh|-c|exec a b"},
		{muster.Command{Shell: "a b"}, true, "/bin/sh|-c|export LISTEN_PID=$$; exec a b"},
		{muster.Command{Shell: "a && b"}, false, "/bin/sh|-c|a && b"},
	}
	for _, c := range cases {
		if got := strings.Join(s.argv(c.command, c.sockets), "|"); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}
