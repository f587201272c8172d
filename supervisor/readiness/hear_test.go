package readiness_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"muster"
	"muster/supervisor/readiness"
)

func lines(texts ...string) chan []byte {
	c := make(chan []byte, len(texts))
	for _, text := range texts {
		c <- []byte(text)
	}
	return c
}

func TestLogLineMatches(t *testing.T) {
	for _, tt := range []struct{ name, pattern, line string }{
		{"plain", "ready", "server ready on 3000"},
		{"anchored", "^Listening$", "Listening"},
		{"coloured", `ready in \d+ ms`, "\x1b[32mready in \x1b[0m\x1b[1m300\x1b[22m ms"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := muster.Probe{Kind: muster.ProbeLog, Pattern: tt.pattern}
			if err := readiness.Wait(t.Context(), p, readiness.Target{Lines: lines("booting", tt.line)}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestLogComplaints(t *testing.T) {
	p := muster.Probe{Kind: muster.ProbeLog, Pattern: "ready"}
	for _, tt := range []struct {
		wrote []string
		ended bool
		want  string
	}{
		{nil, false, "no line matched /ready/; it wrote nothing"},
		{[]string{"a"}, false, "no line matched /ready/; it wrote one line"},
		{[]string{"a", "b"}, true, "its output ended and no line matched /ready/; it wrote 2 lines"},
	} {
		synctest.Test(t, func(t *testing.T) {
			written := lines(tt.wrote...)
			if tt.ended {
				close(written)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := readiness.Wait(ctx, p, readiness.Target{Lines: written}); err == nil || err.Error() != tt.want {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

func TestNotice(t *testing.T) {
	for kind, want := range map[muster.ProbeKind]string{
		muster.ProbeNotify:  "READY=1 was not sent",
		muster.ProbeMessage: `the message "ready" was not sent`,
	} {
		synctest.Test(t, func(t *testing.T) {
			p := muster.Probe{Kind: kind}
			notified := make(chan struct{})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			err := readiness.Wait(ctx, p, readiness.Target{Notified: notified})
			if err == nil || err.Error() != want || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v, want %q", kind, err, want)
			}
			close(notified)
			if err := readiness.Wait(t.Context(), p, readiness.Target{Notified: notified}); err != nil {
				t.Errorf("%s: %v", kind, err)
			}
		})
	}
}

func TestAnnouncementsCanNotBeChecked(t *testing.T) {
	for _, kind := range []muster.ProbeKind{muster.ProbeLog, muster.ProbeNotify, muster.ProbeMessage} {
		if err := readiness.Check(t.Context(), muster.Probe{Kind: kind}, readiness.Target{}); err == nil {
			t.Errorf("%s was asked", kind)
		}
	}
}
