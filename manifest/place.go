package manifest

import (
	"os"
	"strings"

	"muster"
	"muster/manifest/mustertoml"
)

// maxUnixPath is the longest path of a unix socket that every system takes, in
// bytes. Linux takes four more.
const maxUnixPath = 103

// place gives the paths of a type their place below the app's directory.
func (l *loader) place(t *mustertoml.Type) {
	if t.Cwd != "" {
		l.cwd(t)
	}
	for i := range t.Sockets {
		l.socket(&t.Sockets[i], t.SocketsPos[i])
	}
	for i, path := range t.Watch.Paths {
		t.Watch.Paths[i] = l.abs(path)
	}
	l.typeEnv(t)
}

func (l *loader) cwd(t *mustertoml.Type) {
	written := t.Cwd
	t.Cwd = l.abs(written)
	info, err := os.Stat(t.Cwd)
	switch {
	case err != nil && os.IsNotExist(err):
		l.refused.Add(muster.ErrorAt(t.CwdPos, "mkdir -p "+muster.ShellQuote(t.Cwd), "cwd %q does not exist", written))
	case err != nil:
		l.refused.Add(muster.ErrorAt(t.CwdPos, "another directory", "cwd %q: %w", written, err))
	case !info.IsDir():
		l.refused.Add(muster.ErrorAt(t.CwdPos, "the directory it is in", "cwd %q is not a directory", written))
	}
}

// socket resolves the path of a unix socket. "@name" is Linux's abstract kind
// and no path.
func (l *loader) socket(s *muster.Socket, pos muster.Position) {
	if s.Network != "unix" {
		return
	}
	if !strings.HasPrefix(s.Address, "@") {
		s.Address = l.abs(s.Address)
	}
	if len(s.Address) > maxUnixPath {
		l.refused.Add(muster.ErrorAt(pos, "a shorter path, like unix:/run/web.sock",
			"the path of a unix socket has at most %d bytes, and this one has %d", maxUnixPath, len(s.Address)))
	}
}
