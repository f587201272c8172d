// Package readiness asks whether a process can do its work: whether it
// listens, answers, has written a certain line, or has said so itself.
//
// It asks and reports, in words a person can act on. When to ask, how long, and
// what follows from the answer is decided elsewhere. It starts no process of
// its own: what a probe has to run is run for it.
package readiness

import (
	"context"
	"errors"
	"time"

	"muster"
)

// A Target is the process that is asked, and what a probe needs of it. Only
// what the probe's kind uses has to be set.
type Target struct {
	PID int
	// Port is the process's PORT, asked where the probe names none.
	Port int
	// Pids returns every process of the target's tree now. Nil means PID alone.
	Pids func() []int
	// Env and Dir are the surroundings of the process, for Run's use.
	Env []string
	Dir string
	// Lines are what the process writes, from its start on, for "log". Who
	// sends must stop by himself when the context of Wait is done.
	Lines <-chan []byte
	// Run runs a command in the surroundings of the process, for "exec". It has
	// to end the command when ctx is done.
	Run func(ctx context.Context, command muster.Command) (exitCode int, err error)
	// Notified is closed or sent to when the process has said that it is ready,
	// for "notify" and "message".
	Notified <-chan struct{}
}

// pids never returns a pid that is not there to be asked: 0 is no process.
func (t Target) pids() []int {
	if t.Pids != nil {
		return t.Pids()
	}
	if t.PID > 0 {
		return []int{t.PID}
	}
	return nil
}

// questionTimeout bounds one question where the probe does not, and every
// question of Wait: a server that never answers is asked again.
const questionTimeout = 5 * time.Second

// Wait returns nil as soon as the target is ready. When time runs out before,
// the error says what was missing, and wraps context.DeadlineExceeded; when ctx
// is cancelled, it is the cause of that. The probe's own timeout is for the
// caller to put into ctx.
func Wait(ctx context.Context, p muster.Probe, t Target) error {
	if announced(p.Kind) {
		return hear(ctx, p, t)
	}
	ask, err := question(p, t)
	if err != nil {
		return err
	}
	return repeat(ctx, func() error {
		one, cancel := context.WithTimeout(ctx, questionTimeout)
		defer cancel()
		return ask(one)
	})
}

// Check asks once, for at most the probe's timeout (default 5 s), and returns
// what is missing. What a process announces but once ("log", "notify",
// "message") can not be asked for, and is an error.
func Check(ctx context.Context, p muster.Probe, t Target) error {
	if announced(p.Kind) {
		return muster.Errorf(muster.CodeInvalid, "listening, http, tcp or exec",
			"%q can not be asked again and again: a process says it once", p.Kind)
	}
	ask, err := question(p, t)
	if err != nil {
		return err
	}
	timeout := questionTimeout
	if p.Timeout > 0 {
		timeout = time.Duration(p.Timeout)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return explain(ask(ctx))
}

// An asker asks once and returns what is missing.
type asker func(ctx context.Context) error

// question prepares what a probe asks. Its own errors are mistakes in the
// probe, which waiting would not mend.
func question(p muster.Probe, t Target) (asker, error) {
	if p.Port == 0 {
		p.Port = t.Port
	}
	if p.Host == "" {
		p.Host = "127.0.0.1"
	}
	if p.Kind != muster.ProbeExec && p.Port == 0 {
		return nil, muster.Errorf(muster.CodeInvalid, "port = 3000", "the %s probe has no port to ask", p.Kind)
	}
	switch p.Kind {
	case muster.ProbeListening:
		return listening(p.Port, t), nil
	case muster.ProbeHTTP:
		return httpGet(p), nil
	case muster.ProbeTCP:
		return tcpConnect(p.Host, p.Port), nil
	case muster.ProbeExec:
		return execute(p.Command, t)
	}
	return nil, muster.Errorf(muster.CodeInvalid, "", "%q is not a kind of probe", p.Kind)
}

// announced reports whether the process itself has to say that it is ready.
func announced(kind muster.ProbeKind) bool {
	return kind == muster.ProbeLog || kind == muster.ProbeNotify || kind == muster.ProbeMessage
}

// A missing says what a target lacked when time ran out.
type missing struct {
	what  string
	cause error
}

func (m *missing) Error() string { return m.what }
func (m *missing) Unwrap() error { return m.cause }

// absent is a complaint whose full text costs something to find out. Nobody
// reads those of the many questions that are followed by another.
type absent func() string

func (a absent) Error() string { return a() }

// explain turns a complaint that may still be unwritten into one that will not
// change any more.
func explain(err error) error {
	if late, ok := err.(absent); ok {
		return errors.New(late())
	}
	return err
}
