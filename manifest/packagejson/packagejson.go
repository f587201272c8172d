// Package packagejson reads what "npm start" would run out of a package.json:
// scripts.start, or node server.js when there is no such script but that file.
// It reads nothing else of npm's: prestart and poststart do not run.
package packagejson

import (
	"errors"
	"path"
	"path/filepath"
	"strings"

	"muster"
	"muster/manifest/source"
)

// A Package is what a package.json says of itself.
type Package struct {
	Name string // without its scope; "" when it has none
	// Web is the process type that npm start means.
	Web muster.ProcessType
}

// Parse reads a package.json; file is its name in complaints and dir the
// absolute directory it stands in. hasServer tells whether dir has a server.js.
func Parse(file string, data []byte, dir string, hasServer bool) (*Package, []*muster.Error, error) {
	text := source.New(file, data)
	if e := text.Unreadable(0, len(text.Data)); e != nil {
		return nil, nil, e
	}
	members, e := object(text)
	if e != nil {
		return nil, nil, e
	}
	p := &Package{}
	if name, ok := members["name"].value.(string); ok {
		p.Name = path.Base("/" + name)
		p.Name = strings.Trim(p.Name, "/")
	}
	warnings, e := p.start(text, members, dir, hasServer)
	if e != nil {
		return nil, nil, e
	}
	return p, warnings, nil
}

// start finds what to run.
func (p *Package) start(text *source.Text, members map[string]member, dir string, hasServer bool) ([]*muster.Error, *muster.Error) {
	const example = `"scripts": {"start": "node server.js"}`
	scripts, written := members["scripts"]
	if _, ok := scripts.value.(map[string]any); written && !ok {
		return nil, text.Refuse(scripts.offset, example, `"scripts" must be an object of strings`)
	}
	start, written := members["scripts.start"]
	if !written && hasServer {
		p.Web = muster.ProcessType{Name: "web", Command: muster.Command{Argv: []string{"node", "server.js"}}, Pos: text.At(scripts.offset)}
		return nil, nil
	}
	if !written {
		return nil, text.Refuse(scripts.offset, "adding "+example, "no script called start, and no server.js")
	}
	script, ok := start.value.(string)
	if !ok || strings.TrimSpace(script) == "" || strings.ContainsRune(script, 0) {
		return nil, text.Refuse(start.offset, example, "scripts.start must be a command")
	}
	p.Web = muster.ProcessType{Name: "web", Command: muster.Command{Shell: shell(dir, script)}, Pos: text.At(start.offset)}
	return hooks(text, members), nil
}

// shell returns the line that runs script as npm does, with the package's own
// programs first on PATH. The assignment is a command of its own, so that it
// holds for all of "a && b", and the shell still becomes the last command.
func shell(dir, script string) string {
	bin := filepath.Join(dir, "node_modules", ".bin")
	return "export PATH=" + muster.ShellQuote(bin) + `"${PATH:+:$PATH}"; ` + script
}

// hooks warns about the scripts npm runs around start.
func hooks(text *source.Text, members map[string]member) []*muster.Error {
	var warnings []*muster.Error
	for _, name := range []string{"prestart", "poststart"} {
		if hook, written := members["scripts."+name]; written {
			warnings = append(warnings, text.Refuse(hook.offset, `a "start" that runs it, or a Procfile with "web: npm start"`,
				"the script %s is not run; npm would run it around start", name))
		}
	}
	return warnings
}

// asSyntax says where the text is no JSON.
func asSyntax(text *source.Text, err error) *muster.Error {
	const hint = "correcting it; package.json has no comments and no comma after the last member"
	offset := len(text.Data)
	if at, ok := syntaxOffset(err); ok {
		offset = at
	}
	e := text.Refuse(offset, hint, "not JSON: %s", strings.TrimPrefix(err.Error(), "json: "))
	e.Err = err
	return e
}

var errNotObject = errors.New("the file is not an object")
