package muster

import (
	"fmt"
	"regexp"
)

// An App is a directory of code and what it says of itself.
type App struct {
	// Name is unique on one machine. It appears in log directories, cgroup
	// names and targets, so it is restricted by ValidAppName.
	Name string `json:"name"`
	// Dir is the absolute directory the app's commands run in.
	Dir string `json:"dir"`
	// Source is the manifest the app was read from, relative to Dir:
	// "Procfile", "muster.toml", "package.json", or "command line".
	Source string `json:"source"`
	// Types are in the order of the manifest. Order decides ports and colours,
	// so it is never sorted.
	Types []ProcessType `json:"types"`
	// Env is what .env says: the same for every process type.
	Env Env `json:"env,omitempty"`
	// PortBase is the first port handed out: type i, slot n gets
	// PortBase + 100*i + n-1, like foreman. 0 means "choose".
	PortBase int `json:"port_base,omitempty"`
}

// Type returns the process type called name, or nil.
func (a *App) Type(name string) *ProcessType {
	for i := range a.Types {
		if a.Types[i].Name == name {
			return &a.Types[i]
		}
	}
	return nil
}

// TypeNames returns the names of the app's process types in manifest order.
func (a *App) TypeNames() []string {
	names := make([]string, len(a.Types))
	for i, t := range a.Types {
		names[i] = t.Name
	}
	return names
}

// Env is a set of environment variables by name.
type Env map[string]string

var (
	appName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$`)
	typeName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?$`)
	envName  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// ValidAppName reports whether name can name an app: letters, digits, "_" and
// "-", at most 63, starting with a letter or digit. "all" and "muster" are
// kept for targets and for Muster's own formation.
func ValidAppName(name string) bool {
	return appName.MatchString(name) && name != "all" && name != "muster"
}

// ValidTypeName reports whether name can name a process type. It is Heroku's
// rule (at most 63 letters, digits and inner dashes) widened by upper case and
// "_", which every local runner accepts.
func ValidTypeName(name string) bool { return typeName.MatchString(name) }

// ValidEnvName reports whether name is a POSIX environment variable name.
func ValidEnvName(name string) bool { return envName.MatchString(name) }

// A Position is a place in a file the user wrote. Line and Col count from 1
// and Col counts bytes, as compilers do; a zero Line names the whole file.
type Position struct {
	File string `json:"file"`
	Line int    `json:"line,omitempty"`
	Col  int    `json:"col,omitempty"`
}

func (p Position) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Col == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}
