package manifest

import (
	"maps"
	"os"

	"muster"
	"muster/manifest/dotenv"
	"muster/manifest/mustertoml"
)

const dotenvName = ".env"

// environment fills App.Env: .env or the env_files in its place, and over them
// the table env of muster.toml, which may be nil.
func (l *loader) environment(toml *mustertoml.File) {
	env := muster.Env{}
	switch {
	case toml != nil && len(toml.EnvFiles) > 0:
		l.envFiles(toml.EnvFiles, env, l.o.Lookup)
	case !l.o.NoDotenv:
		l.dotenv(env)
	}
	if toml != nil {
		maps.Copy(env, toml.Env)
	}
	if len(env) > 0 {
		l.app.Env = env
	}
}

// dotenv reads .env, where there is one.
func (l *loader) dotenv(env muster.Env) {
	info, err := os.Stat(l.abs(dotenvName))
	if err != nil && os.IsNotExist(err) {
		return
	}
	if err == nil && info.IsDir() { // a Python environment, often
		l.warnings = append(l.warnings, muster.ErrorAt(muster.Position{File: dotenvName}, "another name for it", "is a directory, so no variables are read"))
		return
	}
	l.readEnv(dotenvName, env, l.o.Lookup)
}

// envFiles reads files the manifest names; each sees the variables of those
// before it.
func (l *loader) envFiles(paths []mustertoml.Path, env muster.Env, lookup func(string) (string, bool)) {
	seen := func(name string) (string, bool) {
		if value, found := env[name]; found {
			return value, true
		}
		if lookup == nil {
			return "", false
		}
		return lookup(name)
	}
	for _, path := range paths {
		if !l.has(path.Name) {
			l.refused.Add(muster.ErrorAt(path.Pos, "the path of a file below "+l.app.Dir, "env_file %q does not exist", path.Name))
			continue
		}
		l.readEnv(path.Name, env, seen)
	}
}

// readEnv adds the variables of one file to env.
func (l *loader) readEnv(name string, env muster.Env, lookup func(string) (string, bool)) {
	data, e := l.read(name)
	if e != nil {
		l.refused.Add(e)
		return
	}
	variables, _, warnings, err := dotenv.Parse(name, data, lookup)
	l.warnings = append(l.warnings, warnings...)
	l.refused.Add(err)
	maps.Copy(env, variables)
}

// typeEnv fills in what env_file of one type says, below its own table env.
func (l *loader) typeEnv(t *mustertoml.Type) {
	if len(t.EnvFiles) == 0 {
		return
	}
	env := muster.Env{}
	l.envFiles(t.EnvFiles, env, func(name string) (string, bool) {
		if value, found := l.app.Env[name]; found || l.o.Lookup == nil {
			return value, found
		}
		return l.o.Lookup(name)
	})
	maps.Copy(env, t.Env)
	t.Env = env
}
