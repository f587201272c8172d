package packagejson_test

import (
	"os/exec"
	"strings"
	"testing"

	"muster/manifest/packagejson"
	"muster/manifest/source"
)

// The line must leave the program's own exit code and PATH in order, whatever
// the directory is called.
func TestShellLine(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	dir := t.TempDir() + "/it's $HOME"
	p, _, err := packagejson.Parse("package.json", []byte(`{"scripts": {"start": "echo \"$PATH\" && false || exit 3"}}`), dir, false)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"PATH=/usr/bin:/bin": dir + "/node_modules/.bin:/usr/bin:/bin\n", "X=": dir + "/node_modules/.bin"} {
		cmd := exec.Command(shell, "-c", p.Web.Command.Shell)
		cmd.Env = []string{path}
		out, err := cmd.Output()
		if !strings.HasPrefix(string(out), want) || cmd.ProcessState.ExitCode() != 3 {
			t.Errorf("%s: %q, %v", path, out, err)
		}
	}
}

func TestBytes(t *testing.T) {
	for input, want := range map[string]string{
		"":                                   "package.json:1:1: not JSON",
		"{\"a\": \x00}":                      "package.json:1:7: a NUL byte",
		"{\"a\": \"\xff\"}":                  "package.json:1:8: byte 0xff is not UTF-8",
		strings.Repeat("[", 20_000):          "package.json:1:10001: not JSON",
		`{"scripts": {"start": " "}}`:        "package.json:1:14: scripts.start must be a command",
		`{"scripts": {"start": "a\u0000b"}}`: "package.json:1:14: scripts.start must be a command",
	} {
		_, _, err := packagejson.Parse("package.json", []byte(input), "/srv", false)
		if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "; try ") {
			t.Errorf("%.30q: %v, want %s", input, err, want)
		}
	}
	p, _, err := packagejson.Parse("package.json", []byte("\uFEFF{\r\n\"scripts\": {\"start\": \"a\"}}"), "/srv", false)
	if err != nil || p.Web.Pos.String() != "package.json:2:13" {
		t.Errorf("%+v, %v", p, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{"name":"@a/b","scripts":{"start":"x","prestart":"y"}}`, `{"scripts":{"start":1,"start":"x"}} `, `{"scripts":3,"scripts":{}}`, `[`, `{"scripts":{"start":`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, warnings, err := packagejson.Parse("package.json", data, "/srv", false)
		if err == nil && (p.Web.Command.Shell == "" || strings.Contains(p.Name, "/")) {
			t.Errorf("%+v", p)
		}
		lines := source.New("package.json", data).Lines()
		var all source.Complaints
		all.Add(err)
		for _, e := range append(all, warnings...) {
			if e.Pos == nil || e.Pos.Line < 1 || e.Pos.Line > lines || e.Pos.Col < 1 || e.Hint == "" {
				t.Errorf("complaint without place or hint: %v", e)
			}
		}
	})
}
