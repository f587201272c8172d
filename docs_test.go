package muster_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster"
	"muster/api"
	"muster/manifest/dotenv"
	"muster/manifest/mustertoml"
	"muster/manifest/procfile"
)

// What the documentation shows is true: every page is a story that is played
// in a directory of its own.
//
//	```console       "$ command" lines are run by bash, the lines below compared
//	```LANG file=F   is written to the file F before what follows is run
//	```toml, ```procfile, ```env [refused]
//	                 must be accepted, or refused, by the parser
//
// In expected output "…" stands for any text, and alone on a line for any
// lines. Times, sizes, durations, and numbers of three digits or more may be
// others than those shown; blanks are not counted. "^C" alone on a line is an
// interrupt, sent once what stands above it has been printed. What only looks
// (ps, logs, events) is asked again until it says so: what it shows may be on
// its way. Ports from 5000 to 5999 are moved to where nobody listens.

// A block is one fenced block of a page.
type block struct {
	line int
	lang string
	args []string
	text string
}

func (b block) has(arg string) bool { return slices.Contains(b.args, arg) }

// file is what "file=F" names.
func (b block) file() string {
	for _, arg := range b.args {
		if name, ok := strings.CutPrefix(arg, "file="); ok {
			return name
		}
	}
	return ""
}

var fence = regexp.MustCompile("(?ms)^```([^\n]*)\n(.*?)^```$")

func blocks(page string) (list []block) {
	for _, m := range fence.FindAllStringSubmatchIndex(page, -1) {
		b := block{line: 1 + strings.Count(page[:m[0]], "\n"), text: page[m[4]:m[5]]}
		if words := strings.Fields(page[m[2]:m[3]]); len(words) > 0 {
			b.lang, b.args = words[0], words[1:]
		}
		list = append(list, b)
	}
	return list
}

// pages returns the text of every page of documentation by its path.
func pages(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, path := range append(paths, "README.md", "CHANGELOG.md") {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts[path] = string(data)
	}
	return texts
}

func TestDocsExamplesRun(t *testing.T) {
	for path, text := range pages(t) {
		list := blocks(text)
		if !slices.ContainsFunc(list, func(b block) bool { return b.lang == "console" }) {
			continue
		}
		t.Run(path, func(t *testing.T) {
			if strings.Contains(text, "node ") {
				if _, err := exec.LookPath("node"); err != nil {
					t.Skip("its examples need Node, which is not installed")
				}
			}
			r := newReader(t)
			for _, b := range list {
				if name := b.file(); name != "" {
					r.write(name, b.text)
				} else if b.lang == "console" {
					r.play(path, b)
				}
			}
		})
	}
}

// A reader follows a page word by word.
type reader struct {
	t    *testing.T
	dir  string // where the reader stands
	home string
	base int // stands for port 5000
}

func newReader(t *testing.T) *reader {
	home, err := os.MkdirTemp("", "m") // short: sockets live in it
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{t: t, home: home, dir: filepath.Join(home, "shop"), base: freeBase(t)}
	t.Cleanup(r.leave)
	if err := os.Mkdir(r.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(r.dir, "examples"), os.DirFS("examples")); err != nil {
		t.Fatal(err)
	}
	manifests, _ := filepath.Glob(filepath.Join(r.dir, "examples/*/muster.toml"))
	for _, path := range manifests {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(r.moved(string(data))), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// leave stops what the page started and fails when anything of it lives on.
func (r *reader) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	stop := exec.CommandContext(ctx, filepath.Join(binaries, "muster"), "daemon", "stop")
	stop.Env = r.env()
	_ = stop.Run() // a Muster that does not run is what we want
	for _, pid := range ownedBy(r.home) {
		r.t.Errorf("pid %d was left behind", pid)
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	_ = os.RemoveAll(r.home)
}

func (r *reader) env() []string {
	return []string{
		"PATH=" + binaries + string(os.PathListSeparator) + os.Getenv("PATH"), "LANG=C.UTF-8",
		"HOME=" + r.home, "MUSTER_HOME=" + filepath.Join(r.home, ".muster"), "PORT=" + strconv.Itoa(r.base),
	}
}

// freeBase finds a base whose ports, as far as pages use them, nobody has.
func freeBase(t *testing.T) int {
	for base := 21000 + os.Getpid()%20*500; base < 64000; base += 1000 {
		if slices.IndexFunc([]int{0, 1, 2, 80, 81, 100, 101, 200, 970}, func(n int) bool { return !listenable(base + n) }) < 0 {
			return base
		}
	}
	t.Fatal("no free ports")
	return 0
}

func listenable(port int) bool {
	l, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
	if err != nil {
		return false
	}
	l.Close()
	return true
}

var documentedPort = regexp.MustCompile(`\b5[0-9]{3}\b`)

func (r *reader) moved(text string) string {
	return documentedPort.ReplaceAllStringFunc(text, func(port string) string {
		n, _ := strconv.Atoi(port)
		return strconv.Itoa(r.base + n - 5000)
	})
}

func (r *reader) write(name, text string) {
	path := filepath.Join(r.dir, name)
	mode := os.FileMode(0o644)
	if strings.HasPrefix(text, "#!") {
		mode = 0o755
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(r.moved(text)), mode); err != nil {
		r.t.Fatal(err)
	}
}

// play runs the commands of a block, each against the lines below it.
func (r *reader) play(path string, b block) {
	command, expected := "", []string(nil)
	flush := func() {
		if command != "" {
			r.run(fmt.Sprintf("%s:%d", path, b.line), r.moved(command), expected)
		}
		expected = nil
	}
	for line := range strings.Lines(b.text) {
		line = strings.TrimRight(line, "\n")
		if next, ok := strings.CutPrefix(line, "$ "); ok {
			flush()
			command = next
			continue
		}
		expected = append(expected, r.moved(line))
	}
	flush()
}

// looks are commands that change nothing and end by themselves.
var looks = regexp.MustCompile(`^muster (ps|logs|events)\b`)

// run executes one command and compares what it printed.
func (r *reader) run(place, command string, expected []string) {
	r.t.Helper()
	said := ""
	once := func() (ok bool) {
		said, ok = r.try(place, command, expected)
		return ok
	}
	if looks.MatchString(command) && !slices.Contains(expected, "^C") && eventually(once) || once() {
		return
	}
	r.t.Fatalf("%s: $ %s\nprinted:\n%s\nand the page says:\n%s", place, command, said, strings.Join(expected, "\n"))
}

// try executes one command, and tells what it printed and whether that is what
// the page says.
func (r *reader) try(place, command string, expected []string) (said string, ok bool) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 4*patience)
	defer cancel()
	pwd := filepath.Join(r.home, "pwd")
	c := exec.CommandContext(ctx, "bash", "-c", command+"\npwd > "+muster.ShellQuote(pwd))
	c.Dir, c.Env = r.dir, append(r.env(), "PWD="+r.dir)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out := &transcript{}
	c.Stdout, c.Stderr, c.WaitDelay = out, out, patience
	if err := c.Start(); err != nil {
		r.t.Fatal(err)
	}
	if at := slices.Index(expected, "^C"); at >= 0 {
		before := append(slices.Clone(expected[:at]), "…")
		if !eventually(func() bool { return shape(before).MatchString(plain(out.String())) }) {
			r.t.Errorf("%s: $ %s: what the page shows before ^C was not printed", place, command)
		}
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGINT)
		expected = slices.Delete(slices.Clone(expected), at, at+1)
	}
	_ = c.Wait() // the page says what a command that fails prints
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		r.t.Fatalf("%s: $ %s\nhas not ended; so far: %s", place, command, out)
	}
	if dir, readErr := os.ReadFile(pwd); readErr == nil {
		r.dir = strings.TrimSpace(string(dir))
	}
	return out.String(), shape(expected).MatchString(plain(out.String()))
}

// A transcript collects output that is looked at while it grows.
type transcript struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (o *transcript) Write(data []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(data)
}

func (o *transcript) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

var changing = []*regexp.Regexp{
	regexp.MustCompile(`\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?Z?`),
	regexp.MustCompile(`\d+(\.\d+)?( ?ms| ?s|m|M|G|%)\b|\d+(\.\d+)?%`),
	regexp.MustCompile(`\d{3,}`),
}

// plain replaces what changes from one run to the next, and folds blanks.
func plain(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		line = strings.Join(strings.Fields(line), " ")
		for _, re := range changing {
			line = re.ReplaceAllString(line, "#")
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// shape is the pattern that expected output means.
func shape(expected []string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`\A`)
	for _, line := range expected {
		line = plain(line + "\n")
		if line = strings.TrimRight(line, "\n"); line == "…" {
			b.WriteString(`(?:.*\n)*`)
			continue
		}
		b.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*") + `\n`)
	}
	return regexp.MustCompile(b.String() + `\z`)
}

func TestDocsManifestsParse(t *testing.T) {
	parse := map[string]func([]byte) error{
		"toml":     func(data []byte) error { _, err := mustertoml.Parse("muster.toml", data); return err },
		"procfile": func(data []byte) error { _, _, err := procfile.Parse("Procfile", data); return err },
		"env":      func(data []byte) error { _, _, _, err := dotenv.Parse(".env", data, nil); return err },
	}
	for path, text := range pages(t) {
		for _, b := range blocks(text) {
			check := parse[b.lang]
			if check == nil {
				continue
			}
			if err := check([]byte(b.text)); (err != nil) != b.has("refused") {
				t.Errorf("%s:%d: a block marked %q: %v", path, b.line, strings.Join(b.args, " "), err)
			}
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func TestDocsLinksResolve(t *testing.T) {
	texts := pages(t)
	for path, text := range texts {
		for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			target := path
			if file != "" {
				target = filepath.Join(filepath.Dir(path), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", path, m[1], err)
			}
			if anchor != "" && !slices.Contains(anchors(texts[target]), anchor) {
				t.Errorf("%s links to %s, and there is no such heading", path, m[1])
			}
		}
	}
}

var (
	heading  = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	unlinked = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors are the names a page's headings have in links.
func anchors(text string) (names []string) {
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		name := unlinked.ReplaceAllString(strings.ToLower(m[1]), "")
		names = append(names, strings.ReplaceAll(name, " ", "-"))
	}
	return names
}

func TestDocsAPIReference(t *testing.T) {
	const begin, end = "<!-- requests: api.Reference() -->\n", "<!-- end of requests -->"
	_, rest, found := strings.Cut(pages(t)["docs/api.md"], begin)
	got, _, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("docs/api.md has no table between %q and %q", begin, end)
	}
	if diff := cmp.Diff(api.Reference(), got); diff != "" {
		t.Errorf("docs/api.md is not what api.Reference() says (-want +got):\n%s", diff)
	}
}

// TestDocsMusterTomlKeys compares the keys the parser knows, which it lists
// when it refuses one, with the rows of the page.
func TestDocsMusterTomlKeys(t *testing.T) {
	const strange = "qqqqqqqqqqqqqqqqqqqqqqqq = 1"
	text := pages(t)["docs/muster-toml.md"]
	for section, table := range map[string]string{
		"At the top": strange, "Of a process type": "[process.web]\n" + strange,
		"scale": "[process.web.scale]\n" + strange, "backoff": "[process.web.backoff]\n" + strange,
		"max_restarts": "[process.web.max_restarts]\n" + strange, "watch": "[process.web.watch]\n" + strange,
		"log": "[process.web.log]\n" + strange, "rlimits": "[process.web.rlimits]\n" + strange,
		"ready": "[process.web.ready]\n" + strange, "healthcheck": "[process.web.healthcheck]\n" + strange,
		"sockets": "[[process.web.sockets]]\n" + strange,
	} {
		_, err := mustertoml.Parse("muster.toml", []byte(table))
		if err == nil {
			t.Fatalf("%s: a strange key was accepted", section)
		}
		hint := muster.AsError(err).Hint
		known, ok := strings.CutPrefix(hint, "one of ")
		if !ok {
			t.Fatalf("%s: the complaint lists no keys: %q", section, hint)
		}
		want := strings.Split(known, ", ")
		slices.Sort(want)
		if diff := cmp.Diff(want, rows(text, section)); diff != "" {
			t.Errorf("docs/muster-toml.md, %s (-the parser +the page):\n%s", section, diff)
		}
	}
}

var firstColumn = regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|")

// rows are the keys in the tables below a heading, sorted.
func rows(text, section string) (keys []string) {
	at := regexp.MustCompile("(?m)^#+ `?" + section + "`?$").FindStringIndex(text)
	if at == nil {
		return nil
	}
	rest := text[at[1]:]
	if end := regexp.MustCompile(`(?m)^#`).FindStringIndex(rest); end != nil {
		rest = rest[:end[0]]
	}
	for _, m := range firstColumn.FindAllStringSubmatch(rest, -1) {
		keys = append(keys, m[1])
	}
	slices.Sort(keys)
	return keys
}

// TestDocsDependencies wants every module that code imports in the README's
// tables, with its version: those of the product in the first, those that only
// tests import in the second.
func TestDocsDependencies(t *testing.T) {
	versions := modules(t)
	used := map[string]bool{} // by module: false where only tests import it
	err := filepath.WalkDir(".", func(path string, entry os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			for module := range versions {
				if name == module || strings.HasPrefix(name, module+"/") {
					used[module] = used[module] || !strings.HasSuffix(path, "_test.go")
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(pages(t)["README.md"], "## Dependencies")
	product, tests, _ := strings.Cut(section, "Only tests")
	for module, inProduct := range used {
		table := tests
		if inProduct {
			table = product
		}
		if row := fmt.Sprintf("| `%s` %s |", module, versions[module]); !strings.Contains(table, row) {
			t.Errorf("README.md lacks %q among the dependencies (of the product: %v)", row, inProduct)
		}
	}
}

// modules reads the versions in go.mod.
func modules(t *testing.T) map[string]string {
	data, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	versions := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\t(\S+) (v\S+)`).FindAllStringSubmatch(string(data), -1) {
		versions[m[1]] = m[2]
	}
	return versions
}
