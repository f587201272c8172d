package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"muster"
	"muster/daemon"
)

// A server answers requests with a daemon's methods.
type server struct {
	daemon *daemon.Daemon
	ctx    context.Context // ends with the server
}

// Serve answers the API on listener until ctx ends.
func Serve(ctx context.Context, listener net.Listener, d *daemon.Daemon) error {
	s := &server{daemon: d, ctx: ctx}
	h := &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: 10 * time.Second,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn),
	}
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if h.Shutdown(grace) != nil {
			h.Close()
		}
	})
	defer stop()
	err := h.Serve(ownersOnly{listener})
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	for _, r := range routes {
		mux.HandleFunc(r.Pattern, func(w http.ResponseWriter, req *http.Request) {
			defer s.daemon.Busy()
			req.Body = http.MaxBytesReader(w, req.Body, maxBody)
			if err := r.handler(s, w, req); err != nil {
				writeError(w, err)
			}
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, req *http.Request) {
		writeError(w, muster.Errorf(muster.CodeNotFound, "muster version, to compare both sides", "no such request: %s %s", req.Method, req.URL.Path))
	})
	return mux
}

// maxBody bounds a request: the largest manifest and its environment fit many
// times over.
const maxBody = 32 << 20

// statusOf maps an error's code to HTTP, here and nowhere else.
var statusOf = map[muster.Code]int{
	muster.CodeInvalid:     http.StatusBadRequest,
	muster.CodeUsage:       http.StatusBadRequest,
	muster.CodeNotFound:    http.StatusNotFound,
	muster.CodeConflict:    http.StatusConflict,
	muster.CodeForbidden:   http.StatusForbidden,
	muster.CodeUnavailable: http.StatusServiceUnavailable,
	muster.CodeFailed:      http.StatusUnprocessableEntity,
	muster.CodeInternal:    http.StatusInternalServerError,
}

type errorBody struct {
	Error *muster.Error `json:"error"`
}

func writeError(w http.ResponseWriter, err error) {
	e := muster.AsError(err)
	if e.Code == muster.CodeInternal {
		slog.Error("request failed", "error", err)
	}
	writeJSON(w, statusOf[e.Code], errorBody{e})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that left needs no answer
}

// read decodes a request's body; unknown fields are refused, for they are
// typing errors or a newer client's.
func read[T any](r *http.Request) (T, error) {
	var body T
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&body); err != nil {
		return body, muster.Errorf(muster.CodeInvalid, "", "request body: %w", err)
	}
	return body, nil
}
