package manifest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster"
	"muster/manifest"
)

func TestFromScript(t *testing.T) {
	files := map[string]string{"run": "#!/bin/sh\n", "plain": "", "page.tsx": "", "x.config.js": "", "-odd.js": ""}
	for _, ext := range []string{"js", "cjs", "mjs", "ts", "mts", "cts", "py", "sh", "rb", "php", "pl"} {
		files["server."+ext] = ""
	}
	dir := app(t, files)
	if err := os.Chmod(filepath.Join(dir, "run"), 0o755); err != nil {
		t.Fatal(err)
	}
	for script, want := range map[string]string{
		"server.js": "node server.js", "server.cjs": "node server.cjs", "server.mjs": "node server.mjs", "server.ts": "node server.ts",
		"server.mts": "node server.mts", "server.cts": "node server.cts", "server.py": "python3 server.py", "server.sh": "bash server.sh",
		"server.rb": "ruby server.rb", "server.php": "php server.php", "server.pl": "perl server.pl",
		"./server.js": "node server.js", filepath.Join(dir, "server.js"): "node server.js", "-odd.js": "node ./-odd.js", "run": dir + "/run",
	} {
		loaded, err := manifest.FromScript(dir, script, []string{"--port", "a b", ""}, manifest.Options{})
		if err != nil {
			t.Errorf("%s: %v", script, err)
			continue
		}
		web := loaded.App.Types[0]
		if got := web.Command.String(); got != want+" --port 'a b' ''" || web.Command.Shell != "" || web.Name != "web" {
			t.Errorf("%s: %s %q, want %s", script, web.Name, got, want)
		}
		if loaded.App.Dir != dir || loaded.App.Source != "command line" || strings.HasPrefix(filepath.Base(script), "server") && loaded.App.Name != "server" {
			t.Errorf("%s: %+v", script, loaded.App)
		}
	}
	for script, part := range map[string]string{
		"plain": "no interpreter is known for it", "page.tsx": "node does not run .tsx files", "x.config.js": "PM2 process file", ".": "is a directory",
	} {
		_, err := manifest.FromScript(dir, script, nil, manifest.Options{})
		wantError(t, err, muster.CodeInvalid, part)
	}
	_, err := manifest.FromScript(dir, "nowhere.js", nil, manifest.Options{})
	wantError(t, err, muster.CodeNotFound, "nowhere.js: does not exist")
	_, err = manifest.FromScript(filepath.Join(dir, "nowhere"), "x.js", nil, manifest.Options{})
	wantError(t, err, muster.CodeNotFound, "nowhere: does not exist")
}

func TestFromScriptOutsideItsDirectory(t *testing.T) {
	dir, elsewhere := app(t, map[string]string{".env": "A=1"}), app(t, map[string]string{"server.js": ""})
	loaded, err := manifest.FromScript(dir, filepath.Join(elsewhere, "server.js"), nil, manifest.Options{Name: "mine"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"node", filepath.Join(elsewhere, "server.js")}, loaded.App.Types[0].Command.Argv); diff != "" {
		t.Error(diff)
	}
	if loaded.App.Name != "mine" || loaded.App.Env["A"] != "1" || loaded.App.Types[0].Cwd != dir {
		t.Errorf("%+v", loaded.App)
	}
}

func TestFromCommand(t *testing.T) {
	dir := app(t, map[string]string{"prog": ""})
	if err := os.Chmod(filepath.Join(dir, "prog"), 0o755); err != nil {
		t.Fatal(err)
	}
	path := func(name string) (string, bool) { return dir, name == "PATH" }
	for _, c := range []struct {
		command, name string
		args          []string
		want          muster.Command
	}{
		{"prog", "prog", []string{"a b"}, muster.Command{Argv: []string{"prog", "a b"}}},
		{"./prog", "prog", nil, muster.Command{Argv: []string{"./prog"}}},
		{"A=1 /usr/bin/node server.js | cat", "node", nil, muster.Command{Shell: "A=1 /usr/bin/node server.js | cat"}},
		{"node server.js", "node", []string{"it's", "-p"}, muster.Command{Shell: `node server.js 'it'\''s' -p`}},
		{`"my prog" x`, "my", nil, muster.Command{Shell: `"my prog" x`}},
	} {
		loaded, err := manifest.FromCommand(dir, c.command, c.args, manifest.Options{Lookup: path})
		if err != nil {
			t.Errorf("%s: %v", c.command, err)
			continue
		}
		if diff := cmp.Diff(c.want, loaded.App.Types[0].Command); diff != "" || loaded.App.Name != c.name {
			t.Errorf("%s, app %s: %s", c.command, loaded.App.Name, diff)
		}
	}
	_, err := manifest.FromCommand(dir, "nosuch", nil, manifest.Options{Lookup: path})
	wantError(t, err, muster.CodeNotFound, "a command on PATH")
	for _, command := range []string{"", "  ", "a\x00 b"} {
		_, err := manifest.FromCommand(dir, command, nil, manifest.Options{})
		wantError(t, err, muster.CodeUsage, "the command ")
	}
}
