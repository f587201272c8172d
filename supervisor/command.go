package supervisor

import (
	"os/exec"
	"strings"

	"muster"
)

// findShell prefers bash: Heroku runs bash, and dash would stay between us and
// the program as its parent.
func findShell() string {
	for _, name := range []string{"bash", "sh"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return "/bin/sh"
}

// argv turns a command into what is executed. With sockets a shell sets
// LISTEN_PID first: only the process itself knows its pid.
func (s *Supervisor) argv(c muster.Command, sockets bool) []string {
	prelude := ""
	if sockets {
		prelude = "export LISTEN_PID=$$; "
	}
	switch {
	case len(c.Argv) > 0 && !sockets:
		return c.Argv
	case len(c.Argv) > 0:
		return append([]string{s.options.Shell, "-c", prelude + `exec "$@"`, "muster"}, c.Argv...)
	}
	return []string{s.options.Shell, "-c", prelude + Exec(c.Shell)}
}

// Exec puts "exec" before a simple command, so that the program replaces the
// shell and has the pid that Muster watches. A line the shell has more to do
// for (lists, pipelines, compound commands, builtins) is left as it is: exec
// would cut "a && b" off after a.
func Exec(line string) string {
	at, simple := commandStart(line)
	if !simple {
		return line
	}
	return line[:at] + "exec " + line[at:]
}

// commandStart finds the first word after leading assignments, and whether the
// line is one simple command that exec may precede.
func commandStart(line string) (at int, simple bool) {
	if hasOperator(line) {
		return 0, false
	}
	rest := line
	for {
		trimmed := strings.TrimLeft(rest, " \t")
		word := firstWord(trimmed)
		if word == "" {
			return 0, false
		}
		if !isAssignment(word) {
			return len(line) - len(trimmed), !shellWord(word)
		}
		rest = trimmed[len(word):]
	}
}

// hasOperator reports an unquoted character that makes the line more than one
// command. Redirections may follow exec and are no reason; ${PORT} is none.
func hasOperator(line string) bool {
	skipTo := 0
	_, ended := scanUnquoted(line, func(i int) bool {
		c := line[i]
		switch {
		case i < skipTo:
		case c == '&' && i > 0 && (line[i-1] == '>' || line[i-1] == '<'): // 2>&1
		case c == '&' && i+1 < len(line) && line[i+1] == '>': // &>file
		case c == '{' && i > 0 && line[i-1] == '$' && strings.IndexByte(line[i:], '}') > 0:
			skipTo = i + strings.IndexByte(line[i:], '}') + 1
		case strings.IndexByte(";|&(){}\n`", c) >= 0:
			return true
		}
		return false
	})
	return !ended
}

// firstWord cuts at the first unquoted blank.
func firstWord(s string) string {
	at, _ := scanUnquoted(s, func(i int) bool { return s[i] == ' ' || s[i] == '\t' })
	return s[:at]
}

// scanUnquoted asks stop about every character that is neither quoted nor
// escaped, and returns where it stopped. ended is false if it stopped, or if a
// quotation mark is missing.
func scanUnquoted(s string, stop func(i int) bool) (at int, ended bool) {
	quote := byte(0)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != '\'' && c == '\\':
			i++
		case quote == c:
			quote = 0
		case quote != 0:
		case c == '\'' || c == '"':
			quote = c
		case stop(i):
			return i, false
		}
	}
	return len(s), quote == 0
}

func isAssignment(word string) bool {
	name, _, ok := strings.Cut(word, "=")
	return ok && muster.ValidEnvName(strings.TrimSuffix(name, "+"))
}

// shellWord reports words that only the shell itself can carry out, and words
// that are not the plain name of a program.
func shellWord(word string) bool {
	switch word {
	case "exec", "cd", "export", "unset", "set", "source", ".", "eval", "trap", "wait", "ulimit", "umask", "alias",
		"if", "while", "until", "for", "case", "select", "function", "time", "!", "[[", "read", "shopt", "declare",
		"local", "readonly", "command", "builtin", "exit", "return", "let", "pushd", "popd", "test", "[", ":", "true",
		"false", "echo", "printf", "type", "hash", "coproc", "typeset", "shift", "times", "getopts", "jobs", "fg", "bg",
		"kill", "caller", "enable", "mapfile", "readarray", "suspend", "disown", "dirs", "logout", "fc", "bind", "complete":
		return true
	}
	return strings.ContainsAny(word, "<>#")
}

// FinalCommand is what is executed for a process type: what `muster check`
// prints.
func FinalCommand(t muster.ProcessType) []string {
	s := Supervisor{options: Options{Shell: findShell()}}
	return s.argv(t.Command, len(t.Sockets) > 0)
}
