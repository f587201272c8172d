package manifest

import (
	"os"
	"path/filepath"
	"strings"

	"muster"
)

// FromCommand makes an app of one process type, web, that runs command. With a
// blank in it, command is a line for the shell and args are quoted words at
// its end; else it is a program on PATH and no shell is involved.
func FromCommand(dir, command string, args []string, o Options) (*Loaded, error) {
	l, e := newDirLoader(dir, o)
	if e != nil {
		return nil, e
	}
	words := strings.Fields(command)
	switch {
	case len(words) == 0:
		return nil, muster.Errorf(muster.CodeUsage, `muster start "node server.js"`, "the command is empty")
	case strings.ContainsRune(command+strings.Join(args, ""), 0):
		return nil, muster.Errorf(muster.CodeUsage, `muster start "node server.js"`, "the command holds a NUL byte")
	case strings.ContainsAny(command, " \t\n"):
		line := command
		if len(args) > 0 {
			line += " " + muster.Command{Argv: args}.String()
		}
		return l.single(muster.Command{Shell: line}, programName(words))
	}
	if !l.onPath(command) {
		return nil, muster.Errorf(muster.CodeNotFound, "the path of a script, or a whole line in quotes",
			"%q is neither a file in %s nor a command on PATH", command, l.app.Dir)
	}
	return l.single(muster.Command{Argv: append([]string{command}, args...)}, programName(words))
}

// programName is the base of the first word that is not an assignment.
func programName(words []string) string {
	for _, word := range words {
		name, _, assigns := strings.Cut(word, "=")
		if !assigns || !muster.ValidEnvName(name) {
			return filepath.Base(strings.Trim(word, `"'`))
		}
	}
	return ""
}

// onPath reports whether command is a program. Without an environment it
// cannot be known and is taken to be one.
func (l *loader) onPath(command string) bool {
	if strings.Contains(command, "/") {
		return isExecutable(l.abs(command))
	}
	if l.o.Lookup == nil {
		return true
	}
	list, _ := l.o.Lookup("PATH")
	for _, dir := range filepath.SplitList(list) {
		if isExecutable(filepath.Join(l.abs(dir), command)) {
			return true
		}
	}
	return false
}

func isExecutable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
