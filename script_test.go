package muster_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/rogpeppe/go-internal/testscript"
)

// patience bounds every wait for a condition. It is generous: a story fails
// because something does not happen, never because a machine is slow.
const patience = 60 * time.Second

// binaries is the directory of the muster under test, first on PATH.
var binaries string

func TestMain(m *testing.M) {
	os.Exit(runMain(m))
}

// runMain builds the real binary: Muster executes itself again as keeper and
// as daemon, which a test binary in its place could not do.
func runMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "m")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	binaries = dir
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "muster"), "./cmd/muster")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build muster: %v\n%s", err, out)
		return 1
	}
	if python, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output(); err == nil {
		// A version manager's stub would be a second process, and slow.
		_ = os.Symlink(strings.TrimSpace(string(python)), filepath.Join(dir, "python3"))
	}
	return m.Run()
}

// TestStories tells what a person is promised, one file a promise.
func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		Setup:               setup,
		Condition:           condition,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    exits,
			"field":    field,
			"freeport": freePort,
			"gone":     gone,
			"hidden":   hidden,
			"hold":     hold,
			"http":     httpGet,
			"pid":      pidOf,
			"repeat":   repeat,
			"same":     same,
			"sees":     sees,
			"signal":   sendSignal,
			"spawn":    spawn,
			"ends":     ends,
			"terminal": terminal,
			"bytes":    writeBytes,
			"until":    until,
		},
	})
}

// A story is what one script has running beside it.
type story struct {
	mu       sync.Mutex // guards programs
	programs map[string]*program
}

// A program runs in the background; ended is closed after its code is known.
type program struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

type storyKey struct{}

// setup gives a story a home of its own and leaves nothing of it behind.
func setup(env *testscript.Env) error {
	home, err := os.MkdirTemp("", "m") // short: sockets live in it
	if err != nil {
		return err
	}
	s := &story{programs: map[string]*program{}}
	env.Values[storyKey{}] = s
	env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
	env.Setenv("MUSTER_HOME", home)
	env.Setenv("PATH", binaries+string(os.PathListSeparator)+env.Getenv("PATH"))
	env.Setenv("LANG", "C.UTF-8")
	env.Setenv("PYTHONDONTWRITEBYTECODE", "1")
	env.Setenv("PYTHONUNBUFFERED", "1")
	for _, name := range []string{"NO_COLOR", "PORT"} {
		env.Setenv(name, "")
	}
	env.Defer(func() {
		s.killAll()
		leaveNothing(env, home)
		_ = os.RemoveAll(home)
	})
	return os.MkdirAll(filepath.Join(env.WorkDir, "home"), 0o755)
}

func condition(name string) (bool, error) {
	switch name {
	case "python":
		_, err := os.Stat(filepath.Join(binaries, "python3"))
		return err == nil, nil
	case "root":
		return os.Getuid() == 0, nil
	case "unshare":
		return exec.Command("unshare", "--pid", "--fork", "--mount-proc", "true").Run() == nil, nil
	case "mount":
		return exec.Command("unshare", "--mount", "sh", "-c", "mount -t tmpfs none /mnt").Run() == nil, nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

// leaveNothing stops the story's Muster, and fails the story when anything of
// it lives on.
func leaveNothing(env *testscript.Env, home string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	stop := exec.CommandContext(ctx, filepath.Join(binaries, "muster"), "daemon", "stop")
	stop.Env, stop.Dir = env.Vars, env.WorkDir
	_ = stop.Run() // a Muster that does not run is what we want
	left := ownedBy(home)
	for _, pid := range left {
		command, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		env.T().Log(fmt.Sprintf("left behind: pid %d: %s", pid, bytes.ReplaceAll(command, []byte{0}, []byte(" "))))
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	if len(left) > 0 {
		env.T().Fatal("processes were left behind")
	}
}

// ownedBy returns the processes that have home in their environment. One that
// is about to end is given time.
func ownedBy(home string) (pids []int) {
	for deadline := time.Now().Add(patience / 6); ; time.Sleep(20 * time.Millisecond) {
		pids = pids[:0]
		dirs, _ := filepath.Glob("/proc/[0-9]*/environ")
		for _, path := range dirs {
			data, err := os.ReadFile(path)
			if err != nil || !bytes.Contains(data, []byte("="+home)) {
				continue
			}
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil && pid != os.Getpid() {
				pids = append(pids, pid)
			}
		}
		if len(pids) == 0 || time.Now().After(deadline) {
			return pids
		}
	}
}

func storyOf(ts *testscript.TestScript) *story { return ts.Value(storyKey{}).(*story) }

// environ is the script's environment, for commands that are started here.
func environ(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{
		"PATH", "HOME", "MUSTER_HOME", "LANG", "WORK", "TMPDIR", "NO_COLOR", "TERM", "PORT", "SECRET", "BASE",
		"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED",
	} {
		if value := ts.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// command prepares a program to run where the script stands: MkAbs knows.
func command(ts *testscript.TestScript, ctx context.Context, args []string) *exec.Cmd {
	path := args[0]
	if !strings.ContainsRune(path, '/') {
		for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
			if info, err := os.Stat(filepath.Join(dir, path)); err == nil && info.Mode()&0o111 != 0 && !info.IsDir() {
				path = filepath.Join(dir, path)
				break
			}
		}
	}
	c := exec.CommandContext(ctx, path, args[1:]...)
	c.Args[0] = args[0]
	c.Dir, c.Env = ts.MkAbs("."), environ(ts)
	return c
}

func usage(ts *testscript.TestScript, ok bool, form string) {
	if !ok {
		ts.Fatalf("usage: %s", form)
	}
}

// exits CODE COMMAND... runs a command and wants exactly this exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) >= 2 && !neg, "exits code command...")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := command(ts, ctx, args[1:])
	c.Stdout, c.Stderr = ts.Stdout(), ts.Stderr()
	code := exitCode(c.Run())
	if want, err := strconv.Atoi(args[0]); err != nil || code != want {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

func exitCode(err error) int {
	if err == nil {
		return 0
	}
	exit, ok := err.(*exec.ExitError)
	if !ok {
		return -1
	}
	if status := exit.Sys().(syscall.WaitStatus); status.Signaled() {
		return 128 + int(status.Signal())
	}
	return exit.ExitCode()
}

// until REGEXP COMMAND... runs a command again and again until what it prints
// matches; ! until, until it no longer does.
func until(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) >= 2, "[!] until regexp command...")
	re := pattern(ts, args[0])
	var out []byte
	ok := eventually(func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		out, _ = command(ts, ctx, args[1:]).CombinedOutput()
		return re.Match(out) != neg
	})
	if !ok {
		ts.Fatalf("waited for %q in vain; the last answer was:\n%s", args[0], out)
	}
	_, _ = ts.Stdout().Write(out)
}

// eventually asks until the answer is yes. It pauses between questions so as
// not to take the machine from those it waits for.
func eventually(yes func() bool) bool {
	deadline := time.Now().Add(patience)
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		if yes() {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(pause)
	}
}

func pattern(ts *testscript.TestScript, text string) *regexp.Regexp {
	re, err := regexp.Compile("(?m)" + text)
	ts.Check(err)
	return re
}

// sees FILE REGEXP waits until a file holds a match.
func sees(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 2 && !neg, "sees file regexp")
	re, path := pattern(ts, args[1]), ts.MkAbs(args[0])
	var data []byte
	if !eventually(func() bool { data, _ = os.ReadFile(path); return re.Match(data) }) {
		ts.Fatalf("waited for %q in %s in vain; it holds:\n%s", args[1], args[0], data)
	}
}

// spawn NAME COMMAND... runs a command in the background, in a process group of
// its own and without a terminal; it prints to NAME.out and NAME.err.
func spawn(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) >= 2 && !neg, "spawn name command...")
	c := command(ts, context.Background(), args[1:])
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := os.Create(ts.MkAbs(args[0] + ".out"))
	ts.Check(err)
	defer out.Close()
	errs, err := os.Create(ts.MkAbs(args[0] + ".err"))
	ts.Check(err)
	defer errs.Close()
	c.Stdout, c.Stderr = out, errs
	ts.Check(c.Start())
	storyOf(ts).add(args[0], c)
}

func (s *story) add(name string, c *exec.Cmd) {
	p := &program{cmd: c, ended: make(chan struct{})}
	s.mu.Lock()
	s.programs[name] = p
	s.mu.Unlock()
	go func() {
		_ = c.Wait()
		close(p.ended)
	}()
}

func (s *story) program(ts *testscript.TestScript, name string) *program {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.programs[name]
	if p == nil {
		ts.Fatalf("nothing was spawned as %s", name)
	}
	return p
}

// ends NAME CODE waits for a spawned command and wants this exit code.
func ends(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 2 && !neg, "ends name code")
	p := storyOf(ts).program(ts, args[0])
	select {
	case <-p.ended:
	case <-time.After(patience):
		ts.Fatalf("%s has not ended", args[0])
	}
	status := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	code := status.ExitStatus()
	if status.Signaled() {
		code = 128 + int(status.Signal())
	}
	if strconv.Itoa(code) != args[1] {
		errs, _ := os.ReadFile(ts.MkAbs(args[0] + ".err"))
		ts.Fatalf("%s ended with code %d, want %s; it said:\n%s", args[0], code, args[1], errs)
	}
}

// killAll ends what was spawned and still runs, politely first: a `muster dev`
// has children to take with it.
func (s *story) killAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.programs {
		for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGTERM, syscall.SIGKILL} {
			select {
			case <-p.ended:
				continue
			default:
			}
			_ = p.cmd.Process.Signal(sig)
			select {
			case <-p.ended:
			case <-time.After(patience / 4):
			}
		}
	}
}

// signal SIG NAME|PID signals a spawned command, or a pid.
func sendSignal(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 2 && !neg, "signal SIG name|pid")
	numbers := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL, "HUP": syscall.SIGHUP, "STOP": syscall.SIGSTOP, "CONT": syscall.SIGCONT, "USR1": syscall.SIGUSR1}
	number, ok := numbers[args[0]]
	if !ok {
		ts.Fatalf("unknown signal %s", args[0])
	}
	if pid, err := strconv.Atoi(args[1]); err == nil {
		if pid <= 1 {
			ts.Fatalf("pid %d is not ours to signal", pid)
		}
		ts.Check(syscall.Kill(pid, number))
		return
	}
	ts.Check(storyOf(ts).program(ts, args[1]).cmd.Process.Signal(number))
}

// gone PID|@FILE... waits until processes no longer exist; a file holds pids.
func gone(ts *testscript.TestScript, neg bool, args []string) {
	for _, arg := range args {
		text := arg
		if file, ok := strings.CutPrefix(arg, "@"); ok {
			text = ts.ReadFile(file)
		}
		for _, word := range strings.Fields(text) {
			pid, err := strconv.Atoi(word)
			ts.Check(err)
			if neg && !lives(pid) {
				ts.Fatalf("process %d does not live", pid)
			}
			if !neg && !eventually(func() bool { return !lives(pid) }) {
				ts.Fatalf("process %d lives on", pid)
			}
		}
	}
}

// lives reports whether a process exists and is more than a zombie.
func lives(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z") && !strings.HasPrefix(rest, "X")
}

// pid VAR TARGET sets a variable to the pid of a process that runs.
func pidOf(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 2 && !neg, "pid VAR target")
	var found float64
	ok := eventually(func() bool {
		out, err := command(ts, context.Background(), []string{"muster", "ps", "--json", args[1]}).Output()
		var list []map[string]any
		if err != nil || json.Unmarshal(out, &list) != nil || len(list) != 1 {
			return false
		}
		found, _ = list[0]["pid"].(float64)
		return found > 0
	})
	if !ok {
		ts.Fatalf("%s has no pid", args[1])
	}
	ts.Setenv(args[0], strconv.Itoa(int(found)))
}

// field VAR FILE PATH sets a variable to a value in a JSON file, or in stdout:
// 0.last_exit.signal.
func field(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 3 && !neg, "field VAR file path")
	var value any
	if err := json.Unmarshal([]byte(ts.ReadFile(args[1])), &value); err != nil {
		ts.Fatalf("%s is not JSON: %v", args[1], err)
	}
	for _, key := range strings.Split(args[2], ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(v) {
				ts.Fatalf("there is no %s in a list of %d (%s)", key, len(v), args[2])
			}
			value = v[i]
		default:
			ts.Fatalf("%s: there is no %s", args[2], key)
		}
	}
	text := fmt.Sprint(value)
	if n, ok := value.(float64); ok {
		text = strconv.FormatFloat(n, 'f', -1, 64)
	}
	ts.Setenv(args[0], text)
}

// same A B wants two words to be equal.
func same(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 2, "[!] same a b")
	if (args[0] == args[1]) == neg {
		ts.Fatalf("%q and %q", args[0], args[1])
	}
}

// nextBase hands out blocks of ports below those the kernel takes for itself,
// so that stories that run side by side never meet.
var nextBase atomic.Int32

// freeport VAR sets a variable to the first of 300 ports that nobody has.
func freePort(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 1 && !neg, "freeport VAR")
	for range 40 {
		base := 12000 + 500*(int(nextBase.Add(1)+int32(os.Getpid()))%40)
		if free(base) && free(base+1) && free(base+100) && free(base+200) {
			ts.Setenv(args[0], strconv.Itoa(base))
			return
		}
	}
	ts.Fatalf("no free ports")
}

func free(port int) bool {
	l, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
	if err == nil {
		l.Close()
	}
	return err == nil
}

// hold PORT listens on a port for the rest of the story.
func hold(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 1 && !neg, "hold port")
	l, err := net.Listen("tcp", ":"+args[0])
	ts.Check(err)
	ts.Defer(func() { l.Close() })
}

// http REGEXP URL waits until the status line and body of an answer match.
func httpGet(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 2 && !neg, "http regexp url")
	re, answer := pattern(ts, args[0]), ""
	client := &http.Client{Timeout: patience / 6, Transport: &http.Transport{DisableKeepAlives: true}}
	ok := eventually(func() bool {
		response, err := client.Get(args[1])
		if err != nil {
			answer = err.Error()
			return false
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		answer = response.Status + "\n" + string(body)
		return err == nil && re.MatchString(answer)
	})
	if !ok {
		ts.Fatalf("%s: waited for %q in vain; the last answer was: %s", args[1], args[0], answer)
	}
	fmt.Fprint(ts.Stdout(), answer)
}

// repeat FILE TEXT N writes a text many times.
func repeat(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 3 && !neg, "repeat file text n")
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Repeat(unescape(ts, args[1]), n)), 0o644))
}

// bytes FILE TEXT writes bytes an archive can not hold; escapes are Go's.
func writeBytes(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 2 && !neg, "bytes file text")
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(unescape(ts, args[1])), 0o644))
}

func unescape(ts *testscript.TestScript, text string) string {
	s, err := strconv.Unquote(`"` + strings.ReplaceAll(text, `"`, `\"`) + `"`)
	ts.Check(err)
	return s
}

// hidden SECRET wants that no muster process of this story shows a secret in
// its command line, and no file of its home that others may read holds it.
func hidden(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 1 && !neg, "hidden secret")
	home, secret := ts.Getenv("MUSTER_HOME"), []byte(args[0])
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		data, err := os.ReadFile(path)
		if err == nil && bytes.HasPrefix(data, []byte("muster")) && bytes.Contains(data, secret) {
			ts.Fatalf("%s shows the secret: %q", path, data)
		}
	}
	if info, err := os.Stat(home); err != nil || info.Mode().Perm()&0o077 == 0 {
		return // nobody else can look inside
	}
	ts.Check(filepath.Walk(home, func(path string, info os.FileInfo, err error) error {
		if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o044 == 0 {
			return nil
		}
		if data, err := os.ReadFile(path); err == nil && bytes.Contains(data, secret) {
			return fmt.Errorf("%s (%s) holds the secret", path, info.Mode())
		}
		return nil
	}))
}

// terminal SCRIPT CODE COMMAND... runs a command on a terminal of 100 columns
// and 30 rows. The script says, one a line: "expect REGEXP", "type TEXT"
// (escapes are Go's), "resize COLS ROWS". What the command printed is stdout.
func terminal(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) >= 3 && !neg, "terminal script code command...")
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	c := command(ts, ctx, args[2:])
	c.Env = append(c.Env, "TERM=xterm")
	file, err := pty.StartWithSize(c, &pty.Winsize{Cols: 100, Rows: 30})
	ts.Check(err)
	defer file.Close()
	screen := &screen{}
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(screen, file) // EIO: everybody has left the terminal
	}()
	defer func() { _ = c.Process.Kill() }()
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		perform(ts, screen, file, strings.TrimRight(line, "\n"))
	}
	code := exitCode(c.Wait())
	select {
	case <-read:
	case <-time.After(patience / 6): // somebody keeps the terminal
	}
	fmt.Fprint(ts.Stdout(), screen.all())
	if strconv.Itoa(code) != args[1] {
		ts.Fatalf("exit code %d, want %s; the screen:\n%s", code, args[1], screen.all())
	}
}

func perform(ts *testscript.TestScript, s *screen, file *os.File, line string) {
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case "":
	case "expect":
		re := pattern(ts, rest)
		if !eventually(func() bool { return s.found(re) }) {
			ts.Fatalf("waited for %q in vain; the screen:\n%s", rest, s.all())
		}
	case "type":
		_, err := io.WriteString(file, unescape(ts, rest))
		ts.Check(err)
	case "resize":
		var cols, rows uint16
		_, err := fmt.Sscan(rest, &cols, &rows)
		ts.Check(err)
		ts.Check(pty.Setsize(file, &pty.Winsize{Cols: cols, Rows: rows}))
	default:
		ts.Fatalf("a terminal can not %s", verb)
	}
}

// A screen is what a terminal has shown. Each expect looks only at what came
// after the match before it.
type screen struct {
	mu   sync.Mutex // guards what follows
	text []byte
	seen int
}

func (s *screen) Write(data []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = append(s.text, data...)
	return len(data), nil
}

func (s *screen) found(re *regexp.Regexp) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := re.FindIndex(s.text[s.seen:])
	if at != nil {
		s.seen += at[1]
	}
	return at != nil
}

func (s *screen) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.text)
}
