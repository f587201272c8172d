// Package manifest turns what the user wrote into a muster.App: a Procfile, a
// muster.toml beside it or alone, a package.json, a script or a command. The
// subpackages know one grammar each; this package finds the files, joins what
// they say and checks what no single file can know.
//
// It starts nothing, and it changes nothing on disk.
package manifest

import (
	"os"
	"path/filepath"
	"strings"

	"muster"
	"muster/manifest/mustertoml"
	"muster/manifest/source"
)

// Options are what a manifest does not say itself. The zero value is fine.
type Options struct {
	// Lookup is the environment that ${VAR} in .env falls back on, like
	// os.LookupEnv. FromCommand finds programs on its PATH. Nil means none.
	Lookup func(name string) (string, bool)
	// Name replaces the app's name.
	Name string
	// NoDotenv leaves .env unread. What muster.toml names in env_file is read
	// nevertheless: it is part of the manifest.
	NoDotenv bool
}

// Loaded is an app and how it was read.
type Loaded struct {
	App *muster.App
	// Warnings did not keep the app from being read. Each has a position.
	Warnings []*muster.Error
	// Files are the absolute paths of what was read.
	Files []string
}

// MaxTypes bounds the process types of an app: more is not an app but another
// kind of file.
const MaxTypes = 1000

// Load reads the app at path. In a directory it takes Procfile with a
// muster.toml beside it, muster.toml alone where its types have commands, or
// package.json. A file is read by its name: *.toml with the Procfile beside
// it, package.json, a script, and anything else as a Procfile, alone.
func Load(path string, o Options) (*Loaded, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	info, err := os.Stat(abs)
	if err != nil {
		return nil, unreadable(path, err)
	}
	if info.IsDir() {
		return newLoader(abs, o).search(tomlName)
	}
	dir, name := filepath.Split(abs)
	l := newLoader(filepath.Clean(dir), o)
	switch kind := kindOf(abs, info); kind {
	case kindTOML:
		return l.search(name)
	case kindPackage:
		return l.packageJSON(name)
	case kindScript:
		return FromScript(l.app.Dir, name, nil, o)
	case kindProcfile:
		return l.procfile(name)
	default:
		return nil, notYet(name, kind)
	}
}

// A loader collects one app.
type loader struct {
	o        Options
	app      *muster.App
	warnings []*muster.Error
	files    []string
	refused  source.Complaints
	extras   string // the name of its muster.toml
	// types keep their muster.toml part until the app is finished, for the
	// places of what is still to be checked.
	types []mustertoml.Type
}

func newLoader(dir string, o Options) *loader {
	return &loader{o: o, app: &muster.App{Dir: dir}}
}

// finish names the app, reads its environment, checks it as a whole and fills
// in the defaults.
func (l *loader) finish(name, from string, toml *mustertoml.File) (*Loaded, error) {
	l.app.Source = from
	if e := l.name(name); e != nil {
		return nil, e
	}
	l.environment(toml)
	for i := range l.types {
		l.place(&l.types[i])
	}
	l.dependencies()
	if err := l.refused.Err(); err != nil {
		return nil, err
	}
	l.app.Types = make([]muster.ProcessType, len(l.types))
	for i, t := range l.types {
		l.app.Types[i] = t.WithDefaults(l.app)
	}
	return &Loaded{App: l.app, Warnings: l.warnings, Files: l.files}, nil
}

// name gives the app the name the user asked for, else fallback made valid.
func (l *loader) name(fallback string) *muster.Error {
	l.app.Name = l.o.Name
	if l.app.Name == "" {
		l.app.Name = appName(fallback)
	}
	if !muster.ValidAppName(l.app.Name) {
		return muster.Errorf(muster.CodeUsage, appName(l.app.Name), "%q cannot name an app", l.app.Name)
	}
	return nil
}

// appName makes a valid name of an app out of any text.
func appName(text string) string {
	name := strings.Map(func(r rune) rune {
		if muster.ValidAppName("x" + string(r)) {
			return r
		}
		return '-'
	}, text)
	name = strings.TrimLeft(name, "-_")
	name = strings.TrimRight(name[:min(len(name), 63)], "-_")
	switch {
	case name == "":
		return "app"
	case !muster.ValidAppName(name):
		return name + "-app" // "all" and "muster" mean something else
	}
	return name
}
