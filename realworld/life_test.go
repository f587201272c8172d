package realworld

import "muster"

// A life is what every program must survive.
type life struct {
	path, text string   // a question, and a part of its answer
	says       []string // parts of the log
}

// live starts an app with a web process and leads it through a life: asked,
// scaled, killed, restarted, stopped.
func (m *installation) live(base string, l life) {
	m.t.Helper()
	m.do("start", "-p", base)
	m.answers("web.1", l.path, l.text)

	m.do("scale", "web=2")
	m.answers("web.2", l.path, l.text)
	one, two := m.process("web.1"), m.process("web.2")
	if one.Port == two.Port || one.PID == two.PID {
		m.t.Errorf("two processes share a PORT or a pid: %d %d, %d %d", one.Port, two.Port, one.PID, two.PID)
	}
	m.listensOnItsPort("web.1", "web.2")

	m.kill("web.1")
	m.answers("web.1", l.path, l.text)
	if now := m.process("web.2"); now.PID != two.PID {
		m.t.Errorf("web.2 has pid %d and had %d: killing web.1 replaced it", now.PID, two.PID)
	}

	killed := m.process("web.1").PID
	m.do("restart", "web")
	m.answers("web.1", l.path, l.text)
	m.answers("web.2", l.path, l.text)
	if m.process("web.1").PID == killed || m.process("web.2").PID == two.PID {
		m.t.Error("restart kept a process")
	}
	m.waitLog("web", l.says...)

	m.do("stop")
	for _, name := range []string{"web.1", "web.2"} {
		if p := m.process(name); p.State != muster.StateDown || p.PID != 0 {
			m.t.Errorf("after stop %s is %s with pid %d", name, p.State, p.PID)
		}
	}
	m.nothingLeft(one.Port, two.Port)
}

// listensOnItsPort checks that ps finds the sockets of the process tree.
func (m *installation) listensOnItsPort(names ...string) {
	m.t.Helper()
	for _, name := range names {
		m.wait("ps shows the port of "+name, func() string {
			p := m.process(name)
			for _, port := range p.Ports {
				if port == p.Port {
					return ""
				}
			}
			return "its ports are shown wrong"
		})
	}
}
