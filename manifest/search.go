package manifest

import (
	"os"
	"path/filepath"
	"strings"

	"muster"
	"muster/manifest/mustertoml"
	"muster/manifest/packagejson"
	"muster/manifest/procfile"
)

const (
	procfileName = "Procfile"
	tomlName     = "muster.toml"
	packageName  = "package.json"
)

// search reads what the app's directory holds, with extras as its muster.toml.
func (l *loader) search(extras string) (*Loaded, error) {
	l.extras = extras
	toml := l.readTOML(extras)
	switch {
	case l.has(procfileName):
		entries := l.readProcfile(procfileName)
		return l.assemble(procfileTypes(entries), procfileName, "", toml)
	case toml != nil && standsAlone(toml):
		return l.assemble(nil, extras, "", toml)
	case len(l.refused) > 0: // whether it would have stood alone is not known
		return nil, l.refused.Err()
	case l.has(packageName):
		web, name := l.readPackage(packageName)
		return l.assemble(web, packageName, name, toml)
	case toml != nil && len(toml.Types) > 0:
		return l.assemble(nil, extras, "", toml) // which says what has no command
	}
	return nil, l.nothing(toml)
}

// standsAlone reports whether a muster.toml needs no other file.
func standsAlone(f *mustertoml.File) bool {
	for _, t := range f.Types {
		if t.Command.IsZero() {
			return false
		}
	}
	return len(f.Types) > 0
}

// nothing says what was looked for, and what to write.
func (l *loader) nothing(toml *mustertoml.File) *muster.Error {
	const hint = `a file called Procfile with one line: "web: node server.js"`
	if toml != nil {
		return muster.ErrorAt(muster.Position{File: l.extras, Line: 1, Col: 1}, hint,
			"no process types, and neither a Procfile nor a package.json beside it")
	}
	names, _ := os.ReadDir(l.app.Dir)
	for _, entry := range names {
		if strings.EqualFold(entry.Name(), procfileName) {
			return muster.ErrorAt(muster.Position{File: entry.Name()}, "mv "+muster.ShellQuote(entry.Name())+" Procfile",
				"the name is Procfile, with one capital letter")
		}
	}
	return muster.Errorf(muster.CodeNotFound, hint, "no Procfile, muster.toml or package.json in %s", l.app.Dir)
}

// procfile reads a Procfile that was named, and no muster.toml.
func (l *loader) procfile(name string) (*Loaded, error) {
	return l.assemble(procfileTypes(l.readProcfile(name)), name, "", nil)
}

// packageJSON reads a package.json that was named.
func (l *loader) packageJSON(name string) (*Loaded, error) {
	web, appName := l.readPackage(name)
	return l.assemble(web, name, appName, nil)
}

func (l *loader) readProcfile(name string) []procfile.Entry {
	data, e := l.read(name)
	if e != nil {
		l.refused.Add(e)
		return nil
	}
	entries, warnings, err := procfile.Parse(name, data)
	l.warnings = append(l.warnings, warnings...)
	l.refused.Add(err)
	return entries
}

// readTOML returns nil where there is no file of that name, and where it is
// refused.
func (l *loader) readTOML(name string) *mustertoml.File {
	if !l.has(name) {
		return nil
	}
	data, e := l.read(name)
	if e != nil {
		l.refused.Add(e)
		return nil
	}
	f, err := mustertoml.Parse(name, data)
	l.refused.Add(err)
	return f
}

func (l *loader) readPackage(name string) (types []mustertoml.Type, appName string) {
	data, e := l.read(name)
	if e != nil {
		l.refused.Add(e)
		return nil, ""
	}
	p, warnings, err := packagejson.Parse(name, data, l.app.Dir, l.has("server.js"))
	l.warnings = append(l.warnings, warnings...)
	if err != nil {
		l.refused.Add(err)
		return nil, ""
	}
	return []mustertoml.Type{plain(p.Web)}, p.Name
}

// assemble joins the process types of a Procfile or a package.json with those
// of muster.toml, which may be nil. name is what package.json calls the app.
func (l *loader) assemble(types []mustertoml.Type, from, name string, toml *mustertoml.File) (*Loaded, error) {
	if err := l.refused.Err(); err != nil {
		return nil, err
	}
	if name == "" {
		name = filepath.Base(l.app.Dir)
	}
	l.types = types
	if toml != nil {
		l.join(toml, from)
		l.app.PortBase = toml.Port
		if toml.Name != "" {
			name = toml.Name
		}
		from = l.extras
	}
	if len(l.types) > MaxTypes {
		return nil, muster.ErrorAt(l.types[MaxTypes].Pos, "splitting it into several apps, or a higher scale of fewer types",
			"an app has at most %d process types, and this is one more", MaxTypes)
	}
	return l.finish(name, from, toml)
}
