package manifest_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster"
	"muster/manifest"
)

// app writes files into a new directory called shop and returns it.
func app(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "shop")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func wantError(t *testing.T, err error, code muster.Code, part string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want %q", part)
		return
	}
	e := muster.AsError(err)
	if e.Code != code || !strings.Contains(err.Error(), part) || !strings.Contains(err.Error(), "; try ") {
		t.Errorf("%s error %q, want %s with %q and a way out", e.Code, err, code, part)
	}
}

func TestThousandTypes(t *testing.T) {
	var b strings.Builder
	for i := range manifest.MaxTypes {
		fmt.Fprintf(&b, "type%d: x\n", i)
	}
	dir := app(t, map[string]string{"Procfile": b.String()})
	if loaded, err := manifest.Load(dir, manifest.Options{}); err != nil || len(loaded.App.Types) != manifest.MaxTypes {
		t.Fatalf("%d types are refused: %v", manifest.MaxTypes, err)
	}
	for i := range 9000 {
		fmt.Fprintf(&b, "more%d: x\n", i)
	}
	dir = app(t, map[string]string{"Procfile": b.String()})
	_, err := manifest.Load(dir, manifest.Options{})
	wantError(t, err, muster.CodeInvalid, "Procfile:1001:1: an app has at most 1000 process types")
}

func TestUnreadableFiles(t *testing.T) {
	dir := app(t, nil)
	_, err := manifest.Load(filepath.Join(dir, "nowhere"), manifest.Options{})
	wantError(t, err, muster.CodeNotFound, "nowhere: does not exist")

	if err := os.Mkdir(filepath.Join(dir, "Procfile"), 0o777); err != nil {
		t.Fatal(err)
	}
	_, err = manifest.Load(dir, manifest.Options{})
	wantError(t, err, muster.CodeInvalid, "Procfile: is a directory")

	dir = app(t, map[string]string{"Procfile": "web: " + strings.Repeat("x", 8<<20)})
	_, err = manifest.Load(dir, manifest.Options{})
	wantError(t, err, muster.CodeInvalid, "Procfile: larger than 8 MiB")

	dir = app(t, map[string]string{"procfile": "web: x"})
	_, err = manifest.Load(dir, manifest.Options{})
	if runsCaseSensitive(dir) {
		wantError(t, err, muster.CodeInvalid, "procfile: the name is Procfile")
	}
}

// runsCaseSensitive is false on macOS, as a rule.
func runsCaseSensitive(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "PROCFILE"))
	return err != nil
}

func TestForbiddenFile(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may read everything")
	}
	dir := app(t, map[string]string{"Procfile": "web: x"})
	if err := os.Chmod(filepath.Join(dir, "Procfile"), 0); err != nil {
		t.Fatal(err)
	}
	_, err := manifest.Load(dir, manifest.Options{})
	wantError(t, err, muster.CodeForbidden, "Procfile: permission denied")
}

func TestDotenv(t *testing.T) {
	dir := app(t, map[string]string{"Procfile": "web: x", ".env": "A=$NOBODY\n"})
	loaded, err := manifest.Load(dir, manifest.Options{})
	if err != nil || len(loaded.Warnings) != 1 || len(loaded.Files) != 2 {
		t.Fatalf("%+v, %v", loaded, err)
	}
	loaded, err = manifest.Load(dir, manifest.Options{NoDotenv: true})
	if err != nil || loaded.App.Env != nil || len(loaded.Files) != 1 {
		t.Errorf("%+v, %v", loaded, err)
	}

	dir = app(t, map[string]string{"Procfile": "web: x"})
	if err := os.Mkdir(filepath.Join(dir, ".env"), 0o777); err != nil {
		t.Fatal(err)
	}
	if loaded, err = manifest.Load(dir, manifest.Options{}); err != nil || len(loaded.Warnings) != 1 {
		t.Errorf(".env as a directory: %+v, %v", loaded, err)
	}
}

func TestFilesByName(t *testing.T) {
	files := map[string]string{
		"Procfile": "web: beside", "Procfile.dev": "web: dev", "other": "web: other", "prod.toml": "[db]\ncommand='postgres'",
		"package.json": `{"scripts": {"start": "npm"}}`, "server.js": "", "tool": "#!/bin/sh\n",
	}
	dir := app(t, files)
	if err := os.Chmod(filepath.Join(dir, "tool"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{
		"Procfile":     {"Procfile", "beside"},
		"Procfile.dev": {"Procfile.dev", "dev"},
		"other":        {"other", "other"},
		"prod.toml":    {"prod.toml", "beside", "postgres"},
		"package.json": {"package.json", "export PATH=" + dir + `/node_modules/.bin"${PATH:+:$PATH}"; npm`},
		"server.js":    {"command line", "node server.js"},
		"tool":         {"command line", dir + "/tool"},
	} {
		loaded, err := manifest.Load(filepath.Join(dir, name), manifest.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := []string{loaded.App.Source}
		for _, typ := range loaded.App.Types {
			got = append(got, typ.Command.String())
		}
		if diff := cmp.Diff(want, got); diff != "" || loaded.App.Dir != dir {
			t.Errorf("%s in %s (-want +got):\n%s", name, loaded.App.Dir, diff)
		}
	}
}

func TestFilesOfLaterVersions(t *testing.T) {
	for name, part := range map[string]string{
		"ecosystem.config.js": "this is a PM2 process file", "procfile.js": "this is a procfile.js", "app.yml": "this is a data file", "app.json": "this is a data file",
	} {
		_, err := manifest.Load(filepath.Join(app(t, map[string]string{name: "x"}), name), manifest.Options{})
		wantError(t, err, muster.CodeInvalid, name+": "+part)
	}
}

func TestNames(t *testing.T) {
	for dir, want := range map[string]string{
		"shop": "shop", "my shop": "my-shop", "é": "app", ".hidden": "hidden", "all": "all-app", "muster": "muster-app", "a.b_c": "a-b_c", "_": "app",
		strings.Repeat("x", 100): strings.Repeat("x", 63),
	} {
		path := filepath.Join(t.TempDir(), dir)
		if err := os.Mkdir(path, 0o777); err != nil {
			t.Fatal(err)
		}
		loaded, err := manifest.FromCommand(path, "a b", nil, manifest.Options{Name: ""})
		if err != nil {
			t.Fatal(err)
		}
		if loaded.App.Name != "a" {
			t.Errorf("a command names its app %q", loaded.App.Name)
		}
		if err := os.WriteFile(filepath.Join(path, "Procfile"), []byte("web: x"), 0o666); err != nil {
			t.Fatal(err)
		}
		if loaded, err = manifest.Load(path, manifest.Options{}); err != nil || loaded.App.Name != want || !muster.ValidAppName(want) {
			t.Errorf("%s: %+v, %v, want %s", dir, loaded, err, want)
		}
	}
	dir := app(t, map[string]string{"Procfile": "web: x", "muster.toml": "name = 'store'"})
	if loaded, err := manifest.Load(dir, manifest.Options{Name: "mine"}); err != nil || loaded.App.Name != "mine" {
		t.Errorf("%+v, %v", loaded, err)
	}
	_, err := manifest.Load(dir, manifest.Options{Name: "my shop"})
	wantError(t, err, muster.CodeUsage, `"my shop" cannot name an app; try my-shop`)
}

func TestEveryTypeHasItsDefaults(t *testing.T) {
	dir := app(t, map[string]string{"Procfile": "web: x\nrelease: y", "muster.toml": "[db]\ncommand='z'\nlog={compress=false}"})
	loaded, err := manifest.Load(dir, manifest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, typ := range loaded.App.Types {
		if diff := cmp.Diff(typ, typ.WithDefaults(loaded.App)); diff != "" || typ.Cwd != dir || typ.Log.Compress == (typ.Name == "db") {
			t.Errorf("%s: %s", typ.Name, diff)
		}
	}
}

func TestAllRefusalsAreOneError(t *testing.T) {
	dir := app(t, map[string]string{"Procfile": "web\nworker: x\nclock", "muster.toml": "[worker]\nscal=1"})
	_, err := manifest.Load(dir, manifest.Options{})
	var e *muster.Error
	if !errors.As(err, &e) || e.Pos.File != "muster.toml" || strings.Count(e.Error(), "\n") != 2 {
		t.Errorf("%v", err)
	}
}
