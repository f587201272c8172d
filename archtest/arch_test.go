// Package archtest keeps the arrows between packages pointing down, and files
// and functions small.
package archtest

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	maxFileLines     = 600
	maxFunctionLines = 70
)

// allowed names what each package may import of Muster. What is not in the
// table may import nothing of it but the glossary ("muster").
var allowed = map[string][]string{
	"muster": {}, // the glossary: standard library only

	// Wrappers of the machine know nothing of Muster, not even its words.
	"muster/proctree":  {},
	"muster/cgroup":    {},
	"muster/footprint": {},

	// What outlives everything has as little in it as possible.
	"muster/keeper": {"muster", "muster/proctree", "muster/cgroup", "muster/footprint"},

	// The manifest's own languages, and the text they share.
	"muster/manifest":             {"muster", "muster/manifest/*"},
	"muster/manifest/dotenv":      {"muster", "muster/manifest/source"},
	"muster/manifest/mustertoml":  {"muster", "muster/manifest/source"},
	"muster/manifest/packagejson": {"muster", "muster/manifest/source"},
	"muster/manifest/procfile":    {"muster", "muster/manifest/source"},

	// Leaves that look at the machine through its wrappers.
	"muster/metrics": {"muster", "muster/proctree"},
	"muster/logs":    {"muster", "muster/filewatch"}, // one wrapper of fsnotify

	// The local engine carries out what formation decides, through the keeper.
	"muster/supervisor":           {"muster", "muster/formation", "muster/keeper", "muster/proctree", "muster/supervisor/*"},
	"muster/supervisor/readiness": {"muster", "muster/proctree"},
	"muster/supervisor/notify":    {"muster", "muster/proctree"},

	// The composition roots: a server's, and a terminal's.
	"muster/daemon": {"muster", "muster/cgroup", "muster/events", "muster/filewatch", "muster/footprint", "muster/formation", "muster/home",
		"muster/keeper", "muster/logs", "muster/metrics", "muster/proctree", "muster/store", "muster/supervisor", "muster/supervisor/notify"},
	"muster/dev": {"muster", "muster/filewatch", "muster/formation", "muster/keeper", "muster/supervisor", "muster/supervisor/notify"},

	// api speaks in the daemon's own types; nothing is translated at the door.
	"muster/api": {"muster", "muster/daemon", "muster/formation", "muster/home", "muster/logs", "muster/store", "muster/supervisor"},

	// A face knows the client. It reads manifests itself, for they lie where
	// the user is; dev needs no server; roles.go starts the hidden roles.
	"muster/cli":        {"muster", "muster/api", "muster/dev", "muster/home", "muster/manifest", "muster/manifest/dotenv", "muster/daemon", "muster/keeper"},
	"muster/cmd/muster": {"muster/cli"},
}

// onlyIn narrows an import to files, where a package may not use it freely.
var onlyIn = map[[2]string][]string{
	{"muster/cli", "muster/daemon"}: {"roles.go"},
	{"muster/cli", "muster/keeper"}: {"roles.go"},
}

// wrappers are third-party modules and the one package that knows each.
var wrappers = map[string]string{
	"github.com/spf13/cobra":        "muster/cli",
	"github.com/spf13/pflag":        "muster/cli",
	"github.com/creack/pty":         "muster/cli",
	"golang.org/x/term":             "muster/cli",
	"github.com/BurntSushi/toml":    "muster/manifest/mustertoml",
	"modernc.org/sqlite":            "muster/store",
	"github.com/fsnotify/fsnotify":  "muster/filewatch",
	"github.com/bmatcuk/doublestar": "muster/filewatch",
	"github.com/klauspost/compress": "muster/logs",
}

// A pkg is what `go list -json` says of a package.
type pkg struct {
	ImportPath, Dir, Doc string
	Imports, Deps        []string
	GoFiles              []string
	TestGoFiles          []string
	XTestGoFiles         []string
}

func list(t *testing.T) (pkgs []pkg) {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command("go", "list", "-json=ImportPath,Dir,Doc,Imports,Deps,GoFiles,TestGoFiles,XTestGoFiles", "./...")
	c.Dir = root
	out, err := c.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p pkg
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

func ours(path string) bool { return path == "muster" || strings.HasPrefix(path, "muster/") }

func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !ours(path) && !strings.Contains(first, ".")
}

func TestArrowsPointDown(t *testing.T) {
	for _, p := range list(t) {
		may, listed := allowed[p.ImportPath]
		if !listed {
			may = []string{"muster"}
		}
		for _, imported := range p.Imports {
			if ours(imported) && !permits(may, imported) {
				t.Errorf("%s imports %s; it may import %v", p.ImportPath, imported, may)
			}
		}
	}
}

func permits(may []string, path string) bool {
	return slices.ContainsFunc(may, func(pattern string) bool {
		parent, below := strings.CutSuffix(pattern, "/*")
		return pattern == path || below && strings.HasPrefix(path, parent+"/")
	})
}

func TestTheKeeperIsStandardLibraryOnly(t *testing.T) {
	for _, p := range list(t) {
		if p.ImportPath != "muster" && p.ImportPath != "muster/keeper" && p.ImportPath != "muster/formation" {
			continue
		}
		for _, dep := range p.Deps {
			if !ours(dep) && !standard(dep) && !strings.HasPrefix(dep, "vendor/") {
				t.Errorf("%s depends on %s", p.ImportPath, dep)
			}
		}
	}
}

func TestEachModuleHasOneWrapper(t *testing.T) {
	for _, p := range list(t) {
		for _, imported := range p.Imports {
			if ours(imported) || standard(imported) || imported == "C" {
				continue
			}
			wrapper := ""
			for module, by := range wrappers {
				if imported == module || strings.HasPrefix(imported, module+"/") {
					wrapper = by
				}
			}
			switch wrapper {
			case p.ImportPath:
			case "":
				t.Errorf("%s imports %s, which is nobody's to wrap; list it in archtest and in the README", p.ImportPath, imported)
			default:
				t.Errorf("%s imports %s, which %s wraps", p.ImportPath, imported, wrapper)
			}
		}
		for _, dep := range p.Deps {
			if strings.HasPrefix(dep, "google.golang.org/grpc") {
				t.Errorf("%s depends on %s", p.ImportPath, dep)
			}
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range list(t) {
		if p.Doc == "" && len(p.GoFiles) > 0 {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

// A source is a parsed file.
type source struct {
	pkg  pkg
	name string
	set  *token.FileSet
	file *ast.File
}

func sources(t *testing.T, names func(pkg) []string) (all []source) {
	t.Helper()
	for _, p := range list(t) {
		for _, name := range names(p) {
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, filepath.Join(p.Dir, name), nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, source{p, name, set, file})
		}
	}
	return all
}

func product(p pkg) []string { return p.GoFiles }
func tests(p pkg) []string   { return slices.Concat(p.TestGoFiles, p.XTestGoFiles) }

func (s source) line(pos token.Pos) int { return s.set.Position(pos).Line }

func TestFilesAndFunctionsAreSmall(t *testing.T) {
	for _, s := range sources(t, product) {
		if n := s.line(s.file.FileEnd); n > maxFileLines {
			t.Errorf("%s/%s has %d lines, more than %d", s.pkg.ImportPath, s.name, n, maxFileLines)
		}
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				if n := s.line(f.End()) - s.line(f.Pos()) + 1; n > maxFunctionLines {
					t.Errorf("%s/%s: %s has %d lines, more than %d", s.pkg.ImportPath, s.name, f.Name.Name, n, maxFunctionLines)
				}
			}
		}
	}
}

func TestNoInitFunctions(t *testing.T) {
	for _, s := range sources(t, product) {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" && s.pkg.ImportPath != "muster/cmd/muster" {
				t.Errorf("%s/%s has an init function", s.pkg.ImportPath, s.name)
			}
		}
	}
}

func TestImportsOfSingleFiles(t *testing.T) {
	for _, s := range sources(t, product) {
		for _, imported := range s.file.Imports {
			files, narrowed := onlyIn[[2]string{s.pkg.ImportPath, strings.Trim(imported.Path.Value, `"`)}]
			if narrowed && !slices.Contains(files, s.name) {
				t.Errorf("%s/%s imports %s; only %v may", s.pkg.ImportPath, s.name, imported.Path.Value, files)
			}
		}
	}
}

// mayPoll are tests that drive real programs from outside: they have nothing to
// be told by, so they look again and again for a condition, and they make
// programs that take their time.
var mayPoll = []string{"muster", "muster/e2e", "muster/realworld"}

func TestTestsDoNotSleep(t *testing.T) {
	for _, s := range sources(t, tests) {
		if slices.Contains(mayPoll, s.pkg.ImportPath) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.SelectorExpr)
			if !ok || call.Sel.Name != "Sleep" {
				return true
			}
			if x, ok := call.X.(*ast.Ident); ok && x.Name == "time" {
				t.Errorf("%s: time.Sleep is no way to wait", s.set.Position(call.Pos()))
			}
			return true
		})
	}
}
