package procfile_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"muster"
	"muster/manifest/procfile"
	"muster/manifest/source"
)

// What cannot stand in a golden pair: bytes an editor would change.
func TestBytes(t *testing.T) {
	accepted := map[string]string{
		"crlf":         "web: a b\r\nworker: c\r\n",
		"bom":          "\uFEFFweb: a b\nworker: c",
		"tabs":         "\tweb\t:\ta b\t\n\t\nworker:\tc",
		"blank lines":  "\n\n \r\nweb: a b\n\f\nworker: c",
		"no last line": "web: a b\nworker: c",
	}
	for name, input := range accepted {
		entries, warnings, err := procfile.Parse("Procfile", []byte(input))
		if err != nil || len(warnings) > 0 || len(entries) != 2 || entries[0].Command != "a b" || entries[1].Command != "c" {
			t.Errorf("%s: %+v, %v, %v", name, entries, warnings, err)
		}
	}
	refused := map[string]string{
		"":                                     "Procfile:1:1: no process types",
		"web: a\x00b":                          "Procfile:1:7: a NUL byte",
		"web: a\nworker: \xff":                 "Procfile:2:9: byte 0xff is not UTF-8",
		"\xff\xfew\x00":                        "Procfile:1:1: byte 0xff is not UTF-8",
		"web: a\rworker: b":                    "Procfile:1:7: a carriage return in the middle",
		strings.Repeat("n", 64) + ": x":        "Procfile:1:64: the name of a process type is longer than 63",
		"web: " + strings.Repeat("x", 128<<10): `Procfile:1:6: the command of process type "web" is longer than 128 KiB`,
	}
	for input, want := range refused {
		_, _, err := procfile.Parse("Procfile", []byte(input))
		if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "; try ") {
			t.Errorf("%.40q: %v, want %s", input, err, want)
		}
	}
}

func TestTenThousandLines(t *testing.T) {
	var b strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&b, "type%d: command %d\n", i, i)
	}
	entries, _, err := procfile.Parse("Procfile", []byte(b.String()))
	if err != nil || len(entries) != 10_000 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	_, _, err = procfile.Parse("Procfile", []byte(strings.ReplaceAll(b.String(), ":", "")))
	var all source.Complaints
	if !errors.As(err, &all) || len(all) != 10_000 || !strings.HasSuffix(err.Error(), "\nand 9990 more") {
		t.Errorf("%d complaints", len(all))
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"web: node server.js\n", "a : b\r\n#c\n", "\uFEFFA_b:x\\\nA_b:y", "x\ny:", "é: x", "a: \x00", "-:", "a-: b"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, warnings, err := procfile.Parse("Procfile", data)
		text := source.New("Procfile", data)
		for _, e := range entries {
			if !muster.ValidTypeName(e.Name) || strings.TrimSpace(e.Command) == "" {
				t.Errorf("entry %+v", e)
			}
			line, _ := text.Line(e.Pos.Line - 1)
			if !strings.HasPrefix(string(line[e.Pos.Col-1:]), e.Name) || !strings.HasPrefix(string(line[e.CommandPos.Col-1:]), e.Command) {
				t.Errorf("entry %+v is not where it says: %q", e, line)
			}
		}
		if (err == nil) != (len(entries) > 0) {
			t.Errorf("%d entries, error %v", len(entries), err)
		}
		var all source.Complaints
		all.Add(err)
		for _, e := range append(all, warnings...) {
			if e.Pos == nil || e.Pos.Line < 1 || e.Pos.Line > text.Lines() || e.Pos.Col < 1 || e.Hint == "" {
				t.Errorf("complaint without place or hint: %v", e)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	data := []byte(strings.Repeat("web: node server.js --port $PORT\n", 10_000))
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, _, err := procfile.Parse("Procfile", data); err != nil {
			b.Fatal(err)
		}
	}
}
