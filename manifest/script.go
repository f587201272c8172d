package manifest

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"muster"
)

// commandLine is the App.Source of what no manifest describes.
const commandLine = "command line"

// interpreters by extension. Node strips the types of .ts, .mts and .cts
// itself since 22.18; it refuses .tsx, and so does Muster.
var interpreters = map[string]string{
	".js": "node", ".cjs": "node", ".mjs": "node", ".ts": "node", ".cts": "node", ".mts": "node",
	".py": "python3", ".sh": "bash", ".rb": "ruby", ".php": "php", ".pl": "perl",
}

func isScriptName(ext string) bool { return interpreters[ext] != "" || ext == ".tsx" }

// FromScript makes an app of one process type, web, that runs script with the
// interpreter of its extension, or itself when it is executable. No shell sees
// args. script is relative to dir, the app's directory.
func FromScript(dir, script string, args []string, o Options) (*Loaded, error) {
	l, e := newDirLoader(dir, o)
	if e != nil {
		return nil, e
	}
	path := l.abs(script)
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, unreadable(script, err)
	case info.IsDir():
		return nil, muster.ErrorAt(muster.Position{File: script}, "the script in it", "is a directory")
	}
	argv, e := l.interpret(path, script, info)
	if e != nil {
		return nil, e
	}
	base := filepath.Base(path)
	return l.single(muster.Command{Argv: append(argv, args...)}, strings.TrimSuffix(base, filepath.Ext(base)))
}

// interpret returns the argument vector that runs the script at path.
func (l *loader) interpret(path, script string, info os.FileInfo) ([]string, *muster.Error) {
	pos := muster.Position{File: script}
	ext := strings.ToLower(filepath.Ext(path))
	interpreter := interpreters[ext]
	switch {
	case isPM2(filepath.Base(path)):
		return nil, notYet(script, kindPM2)
	case interpreter != "":
		return []string{interpreter, l.argument(path)}, nil
	case ext == ".tsx":
		return nil, muster.ErrorAt(pos, "muster start -- npx tsx "+muster.ShellQuote(script), "node does not run .tsx files")
	case info.Mode().IsRegular() && info.Mode()&0o111 != 0:
		return []string{path}, nil
	}
	return nil, muster.ErrorAt(pos, "chmod +x on it, or one of "+strings.Join(slices.Sorted(maps.Keys(interpreters)), " "),
		"no interpreter is known for it, and it is not executable")
}

// argument is path as the interpreter gets it: short below the app's
// directory, and never read as an option.
func (l *loader) argument(path string) string {
	rel, err := filepath.Rel(l.app.Dir, path)
	switch {
	case err != nil || !filepath.IsLocal(rel):
		return path
	case strings.HasPrefix(rel, "-"):
		return "./" + rel
	}
	return rel
}

// newDirLoader checks the directory of an app that no manifest describes.
func newDirLoader(dir string, o Options) (*loader, *muster.Error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, unreadable(dir, err)
	}
	info, err := os.Stat(abs)
	if err != nil {
		return nil, unreadable(dir, err)
	}
	if !info.IsDir() {
		return nil, muster.ErrorAt(muster.Position{File: dir}, "the directory it is in", "is not a directory")
	}
	return newLoader(abs, o), nil
}

// single finishes an app of one command.
func (l *loader) single(c muster.Command, name string) (*Loaded, error) {
	t := plain(muster.ProcessType{Name: "web", Command: c, Pos: muster.Position{File: commandLine}})
	l.types = append(l.types, t)
	return l.finish(name, commandLine, nil)
}
