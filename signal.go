package muster

import (
	"strconv"
	"strings"
	"syscall"
)

// signals are those every Unix has; numbers differ, so the names are the
// contract.
var signals = []struct {
	name   string
	number syscall.Signal
}{
	{"HUP", syscall.SIGHUP}, {"INT", syscall.SIGINT}, {"QUIT", syscall.SIGQUIT}, {"ILL", syscall.SIGILL},
	{"TRAP", syscall.SIGTRAP}, {"ABRT", syscall.SIGABRT}, {"BUS", syscall.SIGBUS}, {"FPE", syscall.SIGFPE},
	{"KILL", syscall.SIGKILL}, {"USR1", syscall.SIGUSR1}, {"SEGV", syscall.SIGSEGV}, {"USR2", syscall.SIGUSR2},
	{"PIPE", syscall.SIGPIPE}, {"ALRM", syscall.SIGALRM}, {"TERM", syscall.SIGTERM}, {"CHLD", syscall.SIGCHLD},
	{"CONT", syscall.SIGCONT}, {"STOP", syscall.SIGSTOP}, {"TSTP", syscall.SIGTSTP}, {"TTIN", syscall.SIGTTIN},
	{"TTOU", syscall.SIGTTOU}, {"URG", syscall.SIGURG}, {"XCPU", syscall.SIGXCPU}, {"XFSZ", syscall.SIGXFSZ},
	{"VTALRM", syscall.SIGVTALRM}, {"PROF", syscall.SIGPROF}, {"WINCH", syscall.SIGWINCH}, {"IO", syscall.SIGIO},
	{"SYS", syscall.SIGSYS},
}

// SignalNumber reads "TERM", "SIGTERM", "term" or "15".
func SignalNumber(name string) (syscall.Signal, bool) {
	upper := strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(name)), "SIG")
	for _, s := range signals {
		if s.name == upper {
			return s.number, true
		}
	}
	n, err := strconv.Atoi(upper)
	return syscall.Signal(n), err == nil && n > 0 && n < 65
}

// SignalName is the name without SIG, or the number of a signal without name.
func SignalName(number syscall.Signal) string {
	for _, s := range signals {
		if s.number == number {
			return s.name
		}
	}
	return strconv.Itoa(int(number))
}
