package manifest_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster"
	"muster/manifest"
	"muster/manifest/dotenv"
	"muster/manifest/mustertoml"
	"muster/manifest/packagejson"
	"muster/manifest/procfile"
	"muster/manifest/source"
)

var update = flag.Bool("update", false, "rewrite the expected halves of the golden pairs")

const separator = "----------\n"

// grammars dump what each reader makes of an input. The folder below testdata
// has the same name.
var grammars = map[string]func(t *testing.T, input string) string{
	"procfile":    dumpProcfile,
	"dotenv":      dumpDotenv,
	"mustertoml":  dumpTOML,
	"packagejson": dumpPackage,
	"load":        dumpLoad,
}

func TestGolden(t *testing.T) {
	for grammar, dump := range grammars {
		files, err := filepath.Glob(filepath.Join("testdata", grammar, "*.golden"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no golden pairs for %s: %v", grammar, err)
		}
		for _, file := range files {
			t.Run(grammar+"/"+strings.TrimSuffix(filepath.Base(file), ".golden"), func(t *testing.T) {
				checkPair(t, file, dump)
			})
		}
	}
}

func checkPair(t *testing.T, file string, dump func(*testing.T, string) string) {
	pair, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	input, want, _ := strings.Cut(string(pair), separator)
	got := dump(t, input)
	if *update {
		if err := os.WriteFile(file, []byte(input+separator+got), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func dumpProcfile(t *testing.T, input string) string {
	entries, warnings, err := procfile.Parse("Procfile", []byte(input))
	var b strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&b, "%d:%d %s = %d:%d %s\n", e.Pos.Line, e.Pos.Col, e.Name, e.CommandPos.Line, e.CommandPos.Col, e.Command)
	}
	return b.String() + complaints(t, warnings, err)
}

// environment is what variables fall back on in the golden pairs.
func environment(name string) (string, bool) {
	value, found := map[string]string{"HOME": "/home/ada", "NOTHING": "", "PATH": "/usr/bin:/bin"}[name]
	return value, found
}

func dumpDotenv(t *testing.T, input string) string {
	env, order, warnings, err := dotenv.Parse(".env", []byte(input), environment)
	var b strings.Builder
	for _, name := range order {
		fmt.Fprintf(&b, "%s=%q\n", name, env[name])
	}
	return b.String() + complaints(t, warnings, err)
}

func dumpTOML(t *testing.T, input string) string {
	f, err := mustertoml.Parse("muster.toml", []byte(input))
	if err != nil {
		return complaints(t, nil, err)
	}
	return pruned(t, f)
}

func dumpPackage(t *testing.T, input string) string {
	input, server := strings.CutPrefix(input, "with server.js\n")
	p, warnings, err := packagejson.Parse("package.json", []byte(input), "/srv/shop", server)
	if err != nil {
		return complaints(t, warnings, err)
	}
	return fmt.Sprintf("name %q\n%s %s\n", p.Name, p.Web.Pos, p.Web.Command) + complaints(t, warnings, nil)
}

// dumpLoad loads the path in the first line of input. The rest is an archive:
// "-- NAME --" and what the file of that name holds, in a directory called
// shop. A name that ends in "/" is a directory.
func dumpLoad(t *testing.T, input string) string {
	dir := filepath.Join(t.TempDir(), "shop")
	path, archive, _ := strings.Cut(input, "\n")
	unpack(t, dir, archive)
	loaded, err := manifest.Load(filepath.Join(dir, path), manifest.Options{Lookup: environment})
	var out string
	if err != nil {
		out = complaints(t, nil, err)
	} else {
		out = pruned(t, loaded.App) + complaints(t, loaded.Warnings, nil) + "files " + strings.Join(loaded.Files, " ") + "\n"
	}
	return strings.ReplaceAll(out, dir, "DIR")
}

func unpack(t *testing.T, dir, archive string) {
	t.Helper()
	for _, part := range strings.Split("\n"+archive, "\n-- ")[1:] {
		name, data, _ := strings.Cut(part, " --\n")
		path := filepath.Join(dir, name)
		if strings.HasSuffix(name, "/") {
			path = filepath.Join(path, "x")
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// complaints prints warnings and the error, and holds every one of them to the
// form "file:line:col: what; try ...".
func complaints(t *testing.T, warnings []*muster.Error, err error) string {
	t.Helper()
	var b strings.Builder
	for _, w := range warnings {
		checkForm(t, w)
		fmt.Fprintf(&b, "warning: %s\n", w)
	}
	if err == nil {
		return b.String()
	}
	var list source.Complaints
	list.Add(err)
	for _, e := range list {
		checkForm(t, e)
		fmt.Fprintln(&b, e)
	}
	return b.String()
}

func checkForm(t *testing.T, e *muster.Error) {
	t.Helper()
	switch {
	case e.Code != muster.CodeInvalid && e.Code != muster.CodeNotFound:
		t.Errorf("%v: code is %s", e, e.Code)
	case e.Code == muster.CodeInvalid && (e.Pos == nil || e.Pos.Line == 0 || e.Pos.Col == 0):
		t.Errorf("%v: no line and column", e)
	case e.Hint == "" || e.Message == "":
		t.Errorf("%v: no hint", e)
	}
}

// pruned prints v as JSON without what is empty, zero or false.
func pruned(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		t.Fatal(err)
	}
	tree, _ = prune(tree)
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(tree); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func prune(tree any) (pruned any, keep bool) {
	switch v := tree.(type) {
	case map[string]any:
		for k := range v {
			if v[k], keep = prune(v[k]); !keep {
				delete(v, k)
			}
		}
		return v, len(v) > 0
	case []any:
		for i := range v {
			v[i], _ = prune(v[i])
		}
		return v, len(v) > 0
	case json.Number:
		return v, v != "0"
	case string:
		return v, v != "" && v != "0s"
	case bool:
		return v, v
	}
	return tree, tree != nil
}
