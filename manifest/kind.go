package manifest

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"muster"
)

// A kind is what a file is to Load.
type kind string

const (
	kindProcfile kind = "a Procfile"
	kindTOML     kind = "muster.toml"
	kindPackage  kind = "package.json"
	kindScript   kind = "a script"
	// The rest are refused by name, before a wrong grammar complains of every line.
	kindPM2        kind = "a PM2 process file"
	kindProcfileJS kind = "a procfile.js"
	kindData       kind = "a data file"
)

// kindOf tells what the file at path is, by its name and, where that says
// nothing, by what it begins with.
func kindOf(path string, info fs.FileInfo) kind {
	name := filepath.Base(path)
	ext := strings.ToLower(filepath.Ext(name))
	switch {
	case ext == ".toml":
		return kindTOML
	case name == "package.json":
		return kindPackage
	case name == "procfile.js":
		return kindProcfileJS
	case isPM2(name):
		return kindPM2
	case ext == ".json" || ext == ".yml" || ext == ".yaml":
		return kindData
	case strings.HasPrefix(name, procfileName), ext == ".procfile":
		return kindProcfile
	case isScriptName(ext), info.Mode()&0o111 != 0 && isProgram(path):
		return kindScript
	}
	return kindProcfile
}

// isPM2 follows PM2, which knows its files by this part of their names.
func isPM2(name string) bool {
	for _, part := range []string{".config.js", ".config.cjs", ".config.mjs"} {
		if strings.HasSuffix(name, part) {
			return true
		}
	}
	return false
}

// isProgram reports whether the file begins as a script or a binary does. The
// executable bit alone says little: some file systems set it on everything.
func isProgram(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 4)
	n, _ := io.ReadFull(f, head)
	for _, magic := range []string{"#!", "\x7fELF", "\xcf\xfa\xed\xfe", "\xca\xfe\xba\xbe"} {
		if bytes.HasPrefix(head[:n], []byte(magic)) {
			return true
		}
	}
	return false
}

// notYet refuses a file by what it is.
func notYet(name string, k kind) *muster.Error {
	return muster.ErrorAt(muster.Position{File: name}, "a Procfile or a muster.toml",
		"this is %s, which this version does not read", k)
}
