package supervisor

import (
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"muster"
)

// environ is the whole environment of the slot's process, later layers over
// earlier ones: the shell Muster was started from, .env, the process type's
// own, config vars, and what only Muster knows.
func (l *slot) environ() []string {
	env := muster.Env{}
	a := l.app
	for _, layer := range []muster.Env{a.environment.Base, a.App.Env, l.typ.Env, a.environment.Config, l.ownEnv()} {
		for name, value := range layer {
			env[name] = value
		}
	}
	list := make([]string, 0, len(env))
	for name, value := range env {
		list = append(list, name+"="+value)
	}
	sort.Strings(list)
	return list
}

// ownEnv is what Muster adds: nothing else of Muster's reaches a process.
func (l *slot) ownEnv() muster.Env {
	name := l.name.Name()
	env := muster.Env{"PS": name, "DYNO": name, "MUSTER_APP": l.name.App, "MUSTER_PROCESS": name}
	if l.port > 0 {
		env["PORT"] = strconv.Itoa(l.port)
	}
	if l.supervisor.options.NotifySocket != "" {
		env["NOTIFY_SOCKET"] = l.supervisor.options.NotifySocket
	}
	if isNode(l.typ.Command) {
		env["NODE_APP_INSTANCE"] = strconv.Itoa(l.name.N - 1)
	}
	if n := len(l.typ.Sockets); n > 0 {
		var names []string
		for _, socket := range l.typ.Sockets {
			names = append(names, socket.Name)
		}
		env["LISTEN_FDS"] = strconv.Itoa(n)
		env["LISTEN_FDNAMES"] = strings.Join(names, ":")
	}
	return env
}

// isNode recognizes commands that end up in Node, for PM2's NODE_APP_INSTANCE.
func isNode(c muster.Command) bool {
	words := c.Argv
	if len(words) == 0 {
		words = strings.Fields(c.Shell)
	}
	for _, w := range words {
		if isAssignment(w) {
			continue
		}
		switch filepath.Base(w) {
		case "node", "nodejs", "npm", "npx", "yarn", "pnpm":
			return true
		}
		return false
	}
	return false
}

// EnvironmentNames returns the names of the variables a process of the type
// finds, without the shell's: what `muster check` prints.
func EnvironmentNames(a *muster.App, t *muster.ProcessType, config muster.Env) []string {
	l := &slot{supervisor: &Supervisor{}, name: muster.Slot{App: a.Name, Type: t.Name, N: 1}, typ: *t, port: 1}
	l.supervisor.options.NotifySocket = "set"
	names := map[string]bool{}
	for _, layer := range []muster.Env{a.Env, t.Env, config, l.ownEnv()} {
		for name := range layer {
			names[name] = true
		}
	}
	if len(t.Sockets) > 0 {
		names["LISTEN_PID"] = true
	}
	list := make([]string, 0, len(names))
	for name := range names {
		list = append(list, name)
	}
	sort.Strings(list)
	return list
}

// noise are variables of a terminal session or of whoever started us. They
// mean nothing to a process that outlives the session.
var noise = []string{
	"_", "PWD", "OLDPWD", "SHLVL", "TERM", "COLORTERM", "LS_COLORS", "COLUMNS", "LINES", "PS1", "PS2", "PROMPT_COMMAND",
	"DISPLAY", "WAYLAND_DISPLAY", "WINDOWID", "STY", "TMUX", "TMUX_PANE", "HISTFILE", "INVOCATION_ID", "JOURNAL_STREAM",
	"MAINPID", "MANAGERPID", "WATCHDOG_PID", "WATCHDOG_USEC", "NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES",
	"PORT", "PS", "DYNO", "NODE_APP_INSTANCE", "NODE_CHANNEL_FD", "NODE_UNIQUE_ID", "NODE_CHANNEL_SERIALIZATION_MODE",
}

var noisePrefixes = []string{"MUSTER_", "SSH_", "SUDO_", "XDG_SESSION", "DBUS_", "npm_", "TERM_", "VSCODE_", "BASH_FUNC_"}

// ShellEnvironment returns what of an environment list is worth giving to
// processes. In dev the terminal's own variables stay: keepTerminal.
func ShellEnvironment(environ []string, keepTerminal bool) muster.Env {
	env := muster.Env{}
	for _, entry := range environ {
		name, value, ok := strings.Cut(entry, "=")
		if ok && name != "" && !isNoise(name, keepTerminal) {
			env[name] = value
		}
	}
	return env
}

func isNoise(name string, keepTerminal bool) bool {
	if keepTerminal && !strings.HasPrefix(name, "MUSTER_") {
		switch name {
		case "NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "NODE_CHANNEL_FD", "PORT", "PS", "DYNO":
			return true
		}
		return false
	}
	for _, n := range noise {
		if name == n {
			return true
		}
	}
	for _, prefix := range noisePrefixes {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
