package mustertoml

import (
	"bytes"
	"fmt"

	"github.com/BurntSushi/toml"

	"muster"
	"muster/manifest/source"
)

// A value is one TOML value with its place. A table has fields in the order of
// the file, an array has items, anything else has data.
type value struct {
	key    string
	path   string // "process.web.scale", for complaints
	pos    muster.Position
	data   any // string, int64, float64, bool, time.Time, []any or map[string]any
	fields []value
	items  []value
}

func (v value) isTable() bool { _, ok := v.data.(map[string]any); return ok }
func (v value) isArray() bool { _, ok := v.data.([]any); return ok }

// kind names the value's type as a complaint does: "a string".
func (v value) kind() string {
	switch v.data.(type) {
	case string:
		return "a string"
	case int64:
		return "an integer"
	case float64:
		return "a number with a fraction"
	case bool:
		return "a boolean"
	case []any:
		return "an array"
	case map[string]any:
		return "a table"
	}
	return "a date"
}

// decode parses the text and puts every value at its place.
func decode(text *source.Text) (value, error) {
	if e := text.Unreadable(0, len(text.Data)); e != nil {
		return value{}, e
	}
	if offset, found := tooDeep(text.Data); found {
		return value{}, text.Refuse(offset, "fewer brackets", "values nest deeper than %d", maxNesting)
	}
	var root map[string]any
	if _, err := toml.NewDecoder(bytes.NewReader(text.Data)).Decode(&root); err != nil {
		return value{}, syntaxError(text, err)
	}
	places := scan(text.Data)
	b := builder{text, places}
	return b.value("", nil, "", text.At(0), root), nil
}

// A builder joins decoded values with the places scan found.
type builder struct {
	text   *source.Text
	places *places
}

// value builds the value at path. A value without a place of its own stands
// where its parent does.
func (b builder) value(key string, path []string, shown string, parent muster.Position, data any) value {
	v := value{key: key, path: shown, pos: parent, data: data}
	if offset, ok := b.places.offset[join(path)]; ok {
		v.pos = b.text.At(offset)
	}
	switch data := data.(type) {
	case map[string]any:
		for _, k := range b.places.ordered(path, data) {
			v.fields = append(v.fields, b.value(k, child(path, k), dotted(shown, k), v.pos, data[k]))
		}
	case []any:
		b.items(&v, path, data)
	case []map[string]any: // [[key]]
		items := make([]any, len(data))
		for i := range data {
			items[i] = data[i]
		}
		v.data = items
		b.items(&v, path, items)
	}
	return v
}

func (b builder) items(v *value, path []string, data []any) {
	for i, item := range data {
		shown := fmt.Sprintf("%s[%d]", v.path, i)
		v.items = append(v.items, b.value(v.key, child(path, index(i)), shown, v.pos, item))
	}
}

func dotted(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
