package mustertoml

import (
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"muster/manifest/source"
)

var seeds = []string{
	"[process.web]\nscale = 2\n", "a.b.c = {d = [1, {e = 2}]}\n[[f.g]]\nh = '''x''''\n[f.g.i]\nj=1\n[[f.g]]\nh=1",
	"\"a b\".'c' = \"\"\"\n[x]\n\\\"\"\"\"\"\n[ d . e ] # [f]\ng = 1979-05-27 07:32:00 # h = 1\n", "x = [\n 1, # ]\n [2],\n]\ny=1",
	"name = 'a'\n[process.web]\nready = {http='http://a:1/b'}\nsockets=['unix:a', {name='b', listen='udp:1'}]\nscale={min=1}\nlog={keep=1}",
	"web = {env = {A = \"\\u0000\"}}", "process = 1", "[web]\nhealthcheck={}\nrlimits={core=-1}", "a = [[[[", "a = {\nb = 1,\n}",
	"[web]\nmemory_limit='nanB'\ncpu_limit=nan\nstop_timeout='1ns'",
}

// FuzzPlaces holds the scanner to the library: every key it decodes has a
// place, and the key is there.
func FuzzPlaces(f *testing.F) {
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data string) {
		text := source.New("f", []byte(data))
		if _, deep := tooDeep(text.Data); deep || text.Unreadable(0, len(text.Data)) != nil {
			return
		}
		var root map[string]any
		if _, err := toml.Decode(string(text.Data), &root); err != nil {
			return
		}
		places := scan(text.Data)
		checkPlaces(t, text, places, nil, root)
	})
}

func checkPlaces(t *testing.T, text *source.Text, places *places, path []string, data any) {
	switch data := data.(type) {
	case map[string]any:
		for key, value := range data {
			path := child(path, key)
			offset, known := places.offset[join(path)]
			if !known || bare(key) && !strings.Contains(string(text.Data[offset:min(len(text.Data), offset+len(key)+1)]), key) {
				if bare(key) {
					t.Errorf("%q is not at %d (known %v) of %q", path, offset, known, text.Data)
				}
			}
			checkPlaces(t, text, places, path, value)
		}
	case []map[string]any:
		for i, item := range data {
			checkPlaces(t, text, places, child(path, index(i)), item)
		}
	case []any:
		for i, item := range data {
			checkPlaces(t, text, places, child(path, index(i)), item)
		}
	}
}

// bare leaves out the keys that only escapes can write.
func bare(key string) bool {
	return key != "" && strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
}

func FuzzParse(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse("muster.toml", data)
		if (file == nil) != (err != nil) {
			t.Errorf("file %v, error %v", file, err)
		}
		lines := source.New("muster.toml", data).Lines()
		var all source.Complaints
		all.Add(err)
		for _, e := range all {
			if e.Pos == nil || e.Pos.Line < 1 || e.Pos.Line > lines || e.Pos.Col < 1 || e.Hint == "" {
				t.Errorf("complaint without place or hint: %v", e)
			}
		}
	})
}

func TestDeepNestingIsRefused(t *testing.T) {
	for _, data := range []string{
		"a = " + strings.Repeat("[", 1<<20), "a = " + strings.Repeat("{a=", 1<<20), strings.Repeat("a.", 1<<20) + "b=1",
	} {
		if _, err := Parse("f", []byte(data)); err == nil || !strings.Contains(err.Error(), "nest deeper than 100") {
			t.Errorf("%.10q...: %v", data, err)
		}
	}
}
