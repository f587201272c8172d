// Package mustertoml reads muster.toml, the extras that stand beside a
// Procfile. It is the only package that knows the TOML library.
//
//	name = "shop"
//	port = 5000
//
//	[process.web]
//	scale = 2
//	ready = "listening"
//	depends_on = {db = "ready"}
//
// Nothing is guessed: an unknown key, a value of another kind and a key of a
// later version are refused at their place. The package reads one text and no
// other file; what a path means, and whether it exists, is its caller's
// business.
package mustertoml

import (
	"muster"
	"muster/manifest/source"
)

// A File is what a muster.toml says.
type File struct {
	Name    string
	NamePos muster.Position
	// Env is the table "env".
	Env muster.Env
	// EnvFiles replace .env where there are any.
	EnvFiles []Path
	// Port is the app's first port, 0 when it is not given.
	Port  int
	Types []Type // in the order of the file
}

// A Type is a process type. Its Cwd, unix sockets and watched paths are as
// written, relative to the app's directory. Unset fields are zero, except
// Log.Compress, whose default is true, and Socket.Name.
type Type struct {
	muster.ProcessType
	// CommandPos is the place of "command"; its Line is 0 without one.
	CommandPos muster.Position
	CwdPos     muster.Position
	// DependsOnPos and SocketsPos hold the place of each element.
	DependsOnPos []muster.Position
	SocketsPos   []muster.Position
	EnvFiles     []Path
}

// A Path names another file.
type Path struct {
	Name string
	Pos  muster.Position
}

// Parse reads a muster.toml; file is its name in complaints. The error holds
// everything that is wrong (source.Complaints when there are several).
func Parse(file string, data []byte) (*File, error) {
	root, err := decode(source.New(file, data))
	if err != nil {
		return nil, err
	}
	r := &reader{}
	f := r.file(root)
	if err := r.complaints.Err(); err != nil {
		return nil, err
	}
	return f, nil
}

// topLevel are the keys that are not process types.
var topLevel = []string{"name", "env", "env_file", "port", "process", "processes"}

func (r *reader) file(root value) *File {
	f := &File{}
	types := func(v value) { r.types(f, v) }
	known := keys{
		"name":      func(v value) { f.Name, f.NamePos = r.name(v), v.pos },
		"env":       func(v value) { f.Env = r.env(v) },
		"env_file":  func(v value) { f.EnvFiles = r.paths(v) },
		"port":      func(v value) { f.Port = r.port(v) },
		"process":   types,
		"processes": types,
	}
	for _, field := range root.fields {
		read := known[field.key]
		switch {
		case read != nil:
			read(field)
		case field.isTable() && !r.misspelt(field):
			r.processType(f, field)
		case !field.isTable():
			r.unknown(field, topLevel)
		}
	}
	return f
}

// misspelt refuses "[proces.web]", which would else read as a type "proces"
// that has a strange key "web".
func (r *reader) misspelt(v value) bool {
	if len(v.fields) == 0 {
		return false
	}
	for _, field := range v.fields {
		if !field.isTable() || processTypeKeys[field.key] {
			return false
		}
	}
	nearest, ok := source.Nearest(v.key, topLevel)
	if ok = ok && (nearest == "process" || nearest == "processes"); ok {
		r.unknown(v, topLevel)
	}
	return ok
}

func (r *reader) types(f *File, v value) {
	if !v.isTable() {
		r.want(v, "a table of process types", "[process.web]")
		return
	}
	for _, field := range v.fields {
		if !field.isTable() {
			r.want(field, "a table", "[process."+field.key+"]")
			continue
		}
		r.processType(f, field)
	}
}

func (r *reader) name(v value) string {
	name := r.text(v, `"shop"`)
	if name != "" && !muster.ValidAppName(name) {
		r.refuse(v, `letters, digits, "-" and "_", at most 63`, "%q cannot name an app", name)
	}
	return name
}
