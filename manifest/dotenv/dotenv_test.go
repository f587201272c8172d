package dotenv_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster"
	"muster/manifest/dotenv"
	"muster/manifest/source"
)

func TestBytes(t *testing.T) {
	for name, input := range map[string]string{
		"crlf":        "A=1\r\nB=\"x\r\ny\"\r\n",
		"bom":         "\uFEFFA=1\nB='x\ny'",
		"tabs":        "\tA\t=\t1\t\nexport\tB=\"x\ny\"\t# c",
		"blank lines": "\n \nA=1\n\r\n#\nB=\"x\\ny\"",
	} {
		env, order, warnings, err := dotenv.Parse(".env", []byte(input), nil)
		if diff := cmp.Diff(muster.Env{"A": "1", "B": "x\ny"}, env); diff != "" || err != nil || len(warnings) > 0 || len(order) != 2 {
			t.Errorf("%s: %v, %v, %v", name, diff, warnings, err)
		}
	}
	for input, want := range map[string]string{
		"A=1\nB=\x00":                       ".env:2:3: a NUL byte",
		"A=\xff":                            ".env:1:3: byte 0xff is not UTF-8",
		"A='x":                              ".env:1:3: the quote that begins the value of A is never closed",
		"A=" + strings.Repeat("x", 128<<10): ".env:1:3: a value longer than 128 KiB",
		"A=" + strings.Repeat("${A:-", 20):  ".env:1:",
		"A='" + strings.Repeat("x", 128<<10) + "'":                           ".env:1:1: the value of A is longer than 128 KiB",
		"A=xxxxxxxx\n" + strings.Repeat("A=$A$A$A$A$A$A$A$A$A$A$A$A\n", 100): ".env:5:3: a value longer than 128 KiB",
	} {
		_, _, _, err := dotenv.Parse(".env", []byte(input), nil)
		if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "; try ") {
			t.Errorf("%.40q: %v, want %s", input, err, want)
		}
	}
}

func TestEmpty(t *testing.T) {
	env, order, warnings, err := dotenv.Parse(".env", nil, nil)
	if len(env)+len(order)+len(warnings) > 0 || err != nil {
		t.Errorf("%v, %v, %v, %v", env, order, warnings, err)
	}
}

// Whatever is wrong with a line, what it says is nobody's business.
func TestNoSecretIsShown(t *testing.T) {
	for _, input := range []string{
		"hunter2", "hunter2: hunter2", "hunter2 hunter2=x", "hunter2-=", "2hunter2=hunter2", "PASS: hunter2", "PASS=\"hunter2", "PASS='hunter2",
		"PASS='a' hunter2", "PASS=\"\\hunter2\"", "PASS=${hunter2-hunter2}", "PASS=${hunter2", "PASS=${A:-hunter2\"}", "PASS=a$hunter2",
		"PASS=${hunter2}", "PASS=hunter2\nPASS=hunter2", "PASS=\"\nhunter2\n\" hunter2\nhunter2", "PASS=hunter2\x00", "PASS=hunter2\xff",
	} {
		_, _, warnings, err := dotenv.Parse(".env", []byte(input), nil)
		var all source.Complaints
		all.Add(err)
		all = append(all, warnings...)
		if len(all) == 0 {
			t.Errorf("%q: no complaint", input)
		}
		for _, e := range all {
			if strings.Contains(e.Error(), "hunter2") {
				t.Errorf("%q: shown in %q", input, e)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"A=1\n", "export A=\"x\\n$B${C:-d}\" # e\n", "A='x\ny'\r\n", "A", "A: b", "A=\"", "A=${", "\uFEFFA=\\$x", "A=${A:-${B:-\\\"}}", "export =1", "A=$"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		env, order, warnings, err := dotenv.Parse(".env", data, nil)
		if err == nil && !slices.Equal(slices.Sorted(slices.Values(order)), slices.Sorted(maps.Keys(env))) {
			t.Errorf("order %q, env %q", order, env)
		}
		for name, value := range env {
			if !muster.ValidEnvName(name) || strings.ContainsRune(value, 0) {
				t.Errorf("%q=%q", name, value)
			}
		}
		lines := source.New(".env", data).Lines()
		var all source.Complaints
		all.Add(err)
		for _, e := range append(all, warnings...) {
			if e.Pos == nil || e.Pos.Line < 1 || e.Pos.Line > lines || e.Pos.Col < 1 || e.Hint == "" {
				t.Errorf("complaint without place or hint: %v", e)
			}
		}
	})
}
