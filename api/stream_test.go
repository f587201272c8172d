package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster"
)

func TestErrorsComeBackAsTheyWere(t *testing.T) {
	for code, status := range statusOf {
		sent := muster.Errorf(code, "the hint", "what failed")
		sent.Pos = &muster.Position{File: "Procfile", Line: 2, Col: 3}
		w := httptest.NewRecorder()
		writeError(w, fmt.Errorf("wrapped: %w", sent))
		if w.Code != status {
			t.Errorf("%s is HTTP %d, want %d", code, w.Code, status)
		}
		var got *muster.Error
		if !errors.As(readError(w.Body, ""), &got) || got.Error() != sent.Error() || got.Code != code {
			t.Errorf("%v came back as %v", sent, got)
		}
	}
	w := httptest.NewRecorder()
	writeError(w, errors.New("odd"))
	if w.Code != http.StatusInternalServerError {
		t.Errorf("an unknown error is HTTP %d", w.Code)
	}
	if err := readError(strings.NewReader("<html>"), "502 Bad Gateway"); muster.AsError(err).Code != muster.CodeInternal {
		t.Errorf("%v", err)
	}
}

func TestStreamRoundTrip(t *testing.T) {
	w := httptest.NewRecorder()
	s := newStream(w)
	_ = s.send("progress", 7, map[string]string{"note": "a\nb"})
	_ = s.beat()
	_ = s.write("line", "x")
	s.finish(map[string]int{"n": 1}, nil)
	var got []string
	err := readStream(w.Body, func(event string, data []byte) error { got = append(got, event+" "+string(data)); return nil })
	if diff := cmp.Diff([]string{`progress {"note":"a\nb"}`, `line "x"`, `result {"n":1}`}, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
}

func TestStreamEndsWithItsError(t *testing.T) {
	w := httptest.NewRecorder()
	newStream(w).finish(nil, muster.Errorf(muster.CodeConflict, "h", "m"))
	err := readStream(w.Body, func(string, []byte) error { return nil })
	if muster.AsError(err).Code != muster.CodeConflict {
		t.Errorf("%v", err)
	}
	if err := readStream(strings.NewReader("event: line\ndata: 1\n\n"), func(string, []byte) error { return nil }); !errors.Is(err, ErrStreamEnded) {
		t.Errorf("a stream without its end: %v", err)
	}
}

func FuzzStream(f *testing.F) {
	f.Add([]byte("event: line\ndata: {}\n\nevent: result\ndata: {}\n\n"))
	f.Add([]byte(": beat\n\nevent: error\ndata: {\"error\":null}\n\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		events := 0
		err := readStream(bytes.NewReader(raw), func(string, []byte) error { events++; return nil })
		if err == nil && events == 0 {
			t.Fatalf("%q ended well without a result", raw)
		}
	})
}

func FuzzStreamRoundTrip(f *testing.F) {
	f.Add("progress", "text\nwith \u2028 lines\r\n")
	f.Fuzz(func(t *testing.T, event, text string) {
		w := httptest.NewRecorder()
		s := newStream(w)
		_ = s.write("line", text)
		s.finish(1, nil)
		var got, want string
		data, _ := json.Marshal(text)
		_ = json.Unmarshal(data, &want)
		err := readStream(w.Body, func(e string, data []byte) error {
			if e == "line" {
				return json.Unmarshal(data, &got)
			}
			return nil
		})
		if err != nil || got != want {
			t.Fatalf("%q came back as %q, %v", text, got, err)
		}
	})
}

func TestRequestsThatAreRefused(t *testing.T) {
	cases := []struct {
		method, path string
		body         io.Reader
		status       int
	}{
		{"GET", "/", nil, 404},
		{"GET", "/v1/nothing", nil, 404},
		{"POST", "/v2/start", strings.NewReader("{}"), 404},
		{"POST", "/v1/start", strings.NewReader(`{"unknown_field":1}`), 400},
		{"POST", "/v1/start", strings.NewReader(`not json`), 400},
		{"POST", "/v1/start", strings.NewReader(``), 400},
		{"POST", "/v1/stop", strings.NewReader(`[]`), 400},
		{"POST", "/v1/start", io.MultiReader(strings.NewReader(`{"app":{"name":"`), io.LimitReader(endless{}, maxBody+1), strings.NewReader(`"}}`)), 400},
		{"GET", "/v1/events?after=x", nil, 400},
		{"GET", "/v1/events?last=-1", nil, 400},
		{"GET", "/v1/events?since=yesterday", nil, 400},
	}
	for _, c := range cases {
		t.Run(c.method+c.path, func(t *testing.T) {
			w := httptest.NewRecorder()
			serveWithoutDaemon(w, httptest.NewRequest(c.method, c.path, c.body))
			var body errorBody
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || body.Error == nil || w.Code != c.status {
				t.Errorf("HTTP %d: %.200s", w.Code, w.Body)
			}
		})
	}
}

// serveWithoutDaemon answers as far as no daemon is asked: what is refused is
// refused before.
func serveWithoutDaemon(w http.ResponseWriter, r *http.Request) {
	s := &server{}
	for _, route := range routes {
		if route.Pattern == r.Method+" "+r.URL.Path {
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			if err := route.handler(s, w, r); err != nil {
				writeError(w, err)
			}
			return
		}
	}
	s.handler().ServeHTTP(w, r)
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func socketPair(t *testing.T) (a, b *net.UnixConn) {
	t.Helper()
	dir, err := os.MkdirTemp("", "m")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialled, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dialled.Close(); accepted.Close() })
	return dialled.(*net.UnixConn), accepted.(*net.UnixConn)
}

func TestDescriptorsAreHandedOver(t *testing.T) {
	client, server := socketPair(t)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	if err := sendFiles(client, []byte{0}, write, write, write); err != nil {
		t.Fatal(err)
	}
	write.Close()
	files, err := receiveFiles(server, 3)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range files {
		fmt.Fprint(f, i)
		f.Close()
	}
	if got, _ := io.ReadAll(read); string(got) != "012" {
		t.Errorf("%q was written through them", got)
	}
}

func TestAWrongNumberOfDescriptors(t *testing.T) {
	client, server := socketPair(t)
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if err := sendFiles(client, []byte{0}, null); err != nil {
		t.Fatal(err)
	}
	if files, err := receiveFiles(server, 3); err == nil {
		t.Errorf("%d descriptors are taken for 3", len(files))
	}
	if err := sendFiles(client, []byte{0}); err != nil {
		t.Fatal(err)
	}
	if _, err := receiveFiles(server, 3); err == nil {
		t.Error("no descriptors are taken for 3")
	}
}
