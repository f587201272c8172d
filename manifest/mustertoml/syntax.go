package mustertoml

import (
	"errors"
	"strings"

	"github.com/BurntSushi/toml"

	"muster"
	"muster/manifest/source"
)

// syntaxError says where the text is no TOML, and what to do about it.
func syntaxError(text *source.Text, err error) *muster.Error {
	pos := muster.Position{File: text.File, Line: 1, Col: 1}
	what, hint := explain(err.Error())
	var parse toml.ParseError
	if errors.As(err, &parse) {
		what, hint = explain(parse.Message)
		pos.Line = max(parse.Position.Line, 1)
		if at := text.At(parse.Position.Start); at.Line == pos.Line {
			pos = at
		}
	}
	return muster.ErrorAt(pos, hint, "%s", what)
}

// explain puts the library's commonest messages in words that name the cure
// and leave out the value, which may be a secret.
func explain(message string) (what, hint string) {
	has := func(part string) bool { return strings.Contains(message, part) }
	switch {
	case has("expected value but found"):
		return "a value that is not quoted", `quotes: key = "value"`
	case has("nvalid integer"), has("nvalid float"), has("nvalid datetime"), has("out of range"):
		return "a number or a date that cannot be read", `quotes around it where it is text: key = "value"`
	case has("to end with a newline"):
		return "text after the value", `quotes around the whole value, or "#" before a comment`
	case has("already been defined"):
		return strings.TrimSuffix(message, "."), "removing one of them"
	}
	return "not TOML: " + strings.TrimSuffix(message, "."), `the form key = "value"; toml.io shows the whole grammar`
}
