package mustertoml

import (
	"net"
	"slices"
	"strconv"
	"strings"

	"muster"
)

const socketExample = `"tcp:8080", "tcp:127.0.0.1:8080", "udp:53" or "unix:run/web.sock"`

// sockets reads a list of addresses, or of tables with a name each.
func (r *reader) sockets(v value, t *Type) {
	if !v.isArray() {
		r.want(v, "an array", `["tcp:8080"]`)
		return
	}
	for _, item := range v.items {
		s := muster.Socket{Name: t.Name}
		switch item.data.(type) {
		case string:
			r.listen(item, &s)
		case map[string]any:
			r.namedSocket(item, &s)
		default:
			r.want(item, "an address or a table", socketExample)
		}
		t.Sockets = append(t.Sockets, s)
		t.SocketsPos = append(t.SocketsPos, item.pos)
	}
}

func (r *reader) namedSocket(v value, s *muster.Socket) {
	before := len(r.complaints)
	r.table(v, keys{
		"name":   func(v value) { s.Name = r.socketName(v) },
		"listen": func(v value) { r.listen(v, s) },
	})
	if s.Network == "" && len(r.complaints) == before {
		r.refuse(v, `{name = "web", listen = "tcp:8080"}`, "%s has no listen", v.path)
	}
}

// socketName reads what LISTEN_FDNAMES will say; a colon separates names there.
func (r *reader) socketName(v value) string {
	name := r.text(v, `"web"`)
	odd := func(c rune) bool { return c <= ' ' || c == ':' || c > '~' }
	if len(name) > 255 || strings.ContainsFunc(name, odd) {
		r.refuse(v, `"web"`, "%s: %q cannot name a socket", v.path, name)
		return ""
	}
	return name
}

// listen reads "network:address".
func (r *reader) listen(v value, s *muster.Socket) {
	text := r.text(v, socketExample)
	if text == "" {
		return
	}
	network, address, _ := strings.Cut(text, ":")
	switch {
	case !slices.Contains([]string{"tcp", "tcp4", "tcp6", "udp", "udp4", "udp6", "unix"}, network):
		r.refuse(v, socketExample, "%s: %q does not begin with a network", v.path, text)
		return
	case network != "unix":
		host, port, ok := splitHostPort(address)
		if !ok {
			r.refuse(v, socketExample, "%s: %q has no port from 1 to 65535", v.path, text)
			return
		}
		address = net.JoinHostPort(host, strconv.Itoa(port))
	case address == "":
		r.refuse(v, `"unix:run/web.sock"`, "%s: %q has no path", v.path, text)
		return
	}
	s.Network, s.Address = network, address
}

// splitHostPort reads "port" or "host:port".
func splitHostPort(text string) (host string, port int, ok bool) {
	number := text
	if strings.Contains(text, ":") {
		var err error
		if host, number, err = net.SplitHostPort(text); err != nil {
			return "", 0, false
		}
	}
	n, err := strconv.ParseUint(number, 10, 16)
	odd := func(c rune) bool { return c <= ' ' || c == '/' }
	return host, int(n), err == nil && n > 0 && !strings.ContainsFunc(host, odd)
}
