package readiness_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"muster"
	"muster/supervisor/readiness"
)

func portOf(addr net.Addr) int { return addr.(*net.TCPAddr).Port }

// listen opens a port and returns it; the test ends it.
func listen(t *testing.T) (net.Listener, int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, portOf(l.Addr())
}

// closedPort is one that nothing listens on: just now, something did.
func closedPort(t *testing.T) int {
	t.Helper()
	l, port := listen(t)
	l.Close()
	return port
}

// serve answers every request and returns the port it does so on.
func serve(t *testing.T, handler http.HandlerFunc) (port int) {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return portOf(s.Listener.Addr())
}

// inTime is for what is there at once; a test that fails does so before long.
func inTime(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// soon is the deadline of a question that has no good answer.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

func TestHTTPAnswers(t *testing.T) {
	for status, good := range map[int]bool{200: true, 204: true, 302: true, 399: true, 400: false, 404: false, 503: false} {
		port := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/health" || r.URL.RawQuery != "deep=1" {
				t.Errorf("asked for %s", r.URL)
			}
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		})
		p := muster.Probe{Kind: muster.ProbeHTTP, Path: "/health?deep=1"}
		err := readiness.Check(inTime(t), p, readiness.Target{Port: port})
		want := fmt.Sprintf("GET http://127.0.0.1:%d/health?deep=1 answered %d", port, status)
		if good && err != nil || !good && (err == nil || err.Error() != want) {
			t.Errorf("%d: %v", status, err)
		}
	}
}

func TestHTTPWaitsUntilTheAnswerIsGood(t *testing.T) {
	asked, connections := 0, map[string]bool{}
	port := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		connections[r.RemoteAddr] = true
		if asked < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	p := muster.Probe{Kind: muster.ProbeHTTP, Port: port}
	if err := readiness.Wait(inTime(t), p, readiness.Target{Port: 1}); err != nil {
		t.Error(err)
	}
	if asked != 3 || len(connections) != 3 {
		t.Errorf("%d questions on %d connections", asked, len(connections))
	}
}

func TestHTTPBodyIsBounded(t *testing.T) {
	stopped := make(chan struct{})
	port := serve(t, func(w http.ResponseWriter, r *http.Request) {
		defer close(stopped)
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 4096)); err != nil {
				return
			}
		}
	})
	if err := readiness.Check(inTime(t), muster.Probe{Kind: muster.ProbeHTTP}, readiness.Target{Port: port}); err != nil {
		t.Error(err)
	}
	<-stopped
}

func TestHTTPComplaints(t *testing.T) {
	closed := closedPort(t)
	silent, silentPort := listen(t) // takes connections in the kernel's name only
	defer silent.Close()
	for _, tt := range []struct {
		name string
		port int
		want string
	}{
		{"nobody there", closed, "connection refused"},
		{"no answer", silentPort, "no answer in time"},
		{"hangs up", serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), "closed without an answer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := readiness.Wait(soon(t), muster.Probe{Kind: muster.ProbeHTTP, Path: "/"}, readiness.Target{Port: tt.port})
			start := fmt.Sprintf("GET http://127.0.0.1:%d/: ", tt.port)
			if err == nil || !strings.HasPrefix(err.Error(), start) || !strings.HasSuffix(err.Error(), tt.want) {
				t.Errorf("%v, want %s... %s", err, start, tt.want)
			}
		})
	}
}

func TestTCP(t *testing.T) {
	_, port := listen(t)
	p := muster.Probe{Kind: muster.ProbeTCP}
	if err := readiness.Wait(inTime(t), p, readiness.Target{Port: port}); err != nil {
		t.Error(err)
	}
	closed := closedPort(t)
	err := readiness.Wait(soon(t), p, readiness.Target{Port: closed})
	want := fmt.Sprintf("no connection to 127.0.0.1:%d: connection refused", closed)
	if err == nil || err.Error() != want || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want %q", err, want)
	}
}
