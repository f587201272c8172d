package api

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"muster"
)

// A stream is an answer in Server-Sent Events.
type stream struct {
	mu      sync.Mutex // guards writes: keep-alives come from another goroutine
	w       http.ResponseWriter
	control *http.ResponseController
}

func newStream(w http.ResponseWriter) *stream {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	s := &stream{w: w, control: http.NewResponseController(w)}
	_ = s.control.Flush()
	return s
}

// send writes one event, and returns an error once the client is gone.
func (s *stream) send(event string, id int64, body any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if id > 0 {
		fmt.Fprintf(s.w, "id: %d\n", id)
	}
	fmt.Fprintf(s.w, "event: %s\ndata: %s\n\n", event, data)
	return s.control.Flush()
}

// write is send without flushing, for many small events in a row.
func (s *stream) write(event string, body any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err = fmt.Fprintf(s.w, "event: %s\ndata: %s\n\n", event, data)
	return err
}

// beat sends a comment, so that a client that is gone is noticed.
func (s *stream) beat() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.WriteString(s.w, ": still here\n\n"); err != nil {
		return err
	}
	return s.control.Flush()
}

// beatEvery is well below what proxies call idle.
const beatEvery = 15 * time.Second

// finish sends the last event of a stream.
func (s *stream) finish(result any, err error) {
	if err != nil {
		_ = s.send("error", 0, errorBody{muster.AsError(err)})
		return
	}
	_ = s.send("result", 0, result)
}

// ErrStreamEnded is a stream without its last event: the daemon died under it.
var ErrStreamEnded = errors.New("the connection to Muster ended in the middle")

// readStream calls each for every event of a stream until the last one.
func readStream(r io.Reader, each func(event string, data []byte) error) error {
	reader := bufio.NewReaderSize(r, 64<<10)
	event, data := "", []byte(nil)
	for {
		line, err := reader.ReadBytes('\n')
		if err != nil {
			if errors.Is(err, io.EOF) {
				return ErrStreamEnded
			}
			return fmt.Errorf("%w: %w", ErrStreamEnded, err)
		}
		line = bytes.TrimRight(line, "\n")
		switch {
		case bytes.HasPrefix(line, []byte("event: ")):
			event = string(line[len("event: "):])
		case bytes.HasPrefix(line, []byte("data: ")):
			data = append(data, line[len("data: "):]...)
		case len(line) == 0 && event != "":
			last, err := dispatch(event, data, each)
			if last || err != nil {
				return err
			}
			event, data = "", nil
		}
	}
}

func dispatch(event string, data []byte, each func(string, []byte) error) (last bool, err error) {
	if event == "error" {
		var body errorBody
		if err := json.Unmarshal(data, &body); err != nil || body.Error == nil {
			return true, fmt.Errorf("unreadable error from Muster: %s", data)
		}
		return true, body.Error
	}
	return event == "result", each(event, data)
}
