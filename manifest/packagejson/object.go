package packagejson

import (
	"bytes"
	"encoding/json"
	"errors"

	"muster"
	"muster/manifest/source"
)

// A member is one value with the offset of its key.
type member struct {
	value  any
	offset int
}

// object returns the members of the outermost object, and under
// "scripts.NAME" those of its scripts.
func object(text *source.Text) (map[string]member, *muster.Error) {
	var root any
	if err := json.Unmarshal(text.Data, &root); err != nil {
		return nil, asSyntax(text, err)
	}
	if _, ok := root.(map[string]any); !ok {
		return nil, text.Refuse(0, `{"scripts": {"start": "node server.js"}}`, "%w", errNotObject)
	}
	w := walker{json.NewDecoder(bytes.NewReader(text.Data)), text, map[string]member{}}
	w.members("", root.(map[string]any))
	return w.found, nil
}

// syntaxOffset returns the offset of the byte json stumbled over; the end of
// the text is behind the last one.
func syntaxOffset(err error) (int, bool) {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) || syntax.Error() == "unexpected end of JSON input" {
		return 0, false
	}
	return int(syntax.Offset) - 1, true
}

// A walker goes through the tokens of valid JSON a second time, for the
// offsets of keys.
type walker struct {
	decoder *json.Decoder
	text    *source.Text
	found   map[string]member
}

// members notes the members of the object that comes next.
func (w *walker) members(prefix string, values map[string]any) {
	_, _ = w.decoder.Token() // the opening brace
	for w.decoder.More() {
		offset := w.next()
		token, err := w.decoder.Token()
		key, ok := token.(string)
		if err != nil || !ok {
			return
		}
		w.found[prefix+key] = member{values[key], offset}
		scripts, isObject := values[key].(map[string]any)
		if prefix == "" && key == "scripts" && isObject {
			w.members("scripts.", scripts)
			continue
		}
		var skipped json.RawMessage
		if w.decoder.Decode(&skipped) != nil {
			return
		}
	}
	_, _ = w.decoder.Token() // the closing brace
}

// next returns the offset of the next key: behind the blanks and the comma.
func (w *walker) next() int {
	offset := int(w.decoder.InputOffset())
	rest := w.text.Data[offset:]
	return offset + len(rest) - len(bytes.TrimLeft(rest, " \t\r\n,"))
}
