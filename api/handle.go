package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"muster"
	"muster/logs"
	"muster/store"
)

func (s *server) status(w http.ResponseWriter, _ *http.Request) error {
	status, err := s.daemon.Status()
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, status)
	return nil
}

// operate answers a command that takes time: progress, then its result. The
// command goes on when the client leaves; only its waiting ends.
func operate[T any](w http.ResponseWriter, r *http.Request, do func(context.Context, T, func(Progress)) (Result, error)) error {
	body, err := read[T](r)
	if err != nil {
		return err
	}
	out := newStream(w)
	result, err := do(r.Context(), body, func(p Progress) { _ = out.send("progress", 0, p) })
	out.finish(result, err)
	return nil
}

func (s *server) start(w http.ResponseWriter, r *http.Request) error {
	return operate(w, r, s.daemon.Start)
}

func (s *server) stop(w http.ResponseWriter, r *http.Request) error {
	return operate(w, r, s.daemon.Stop)
}

func (s *server) resume(w http.ResponseWriter, r *http.Request) error {
	return operate(w, r, s.daemon.StartTarget)
}

func (s *server) restart(w http.ResponseWriter, r *http.Request) error {
	return operate(w, r, s.daemon.Restart)
}

func (s *server) reload(w http.ResponseWriter, r *http.Request) error {
	return operate(w, r, s.daemon.Reload)
}

func (s *server) delete(w http.ResponseWriter, r *http.Request) error {
	return operate(w, r, s.daemon.Delete)
}

func (s *server) scale(w http.ResponseWriter, r *http.Request) error {
	return operate(w, r, func(ctx context.Context, b ScaleRequest, tell func(Progress)) (Result, error) {
		return s.daemon.Scale(ctx, b.Target, b.Changes, tell)
	})
}

func (s *server) setConfig(w http.ResponseWriter, r *http.Request) error {
	return operate(w, r, func(ctx context.Context, b ConfigRequest, tell func(Progress)) (Result, error) {
		return s.daemon.SetConfig(ctx, b.Target, b.Set, b.Unset, tell)
	})
}

// answer serves a question: a body in, a value out.
func answer[T, R any](w http.ResponseWriter, r *http.Request, do func(T) (R, error)) error {
	body, err := read[T](r)
	if err != nil {
		return err
	}
	result, err := do(body)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, result)
	return nil
}

func (s *server) processes(w http.ResponseWriter, r *http.Request) error {
	return answer(w, r, s.daemon.Processes)
}

func (s *server) info(w http.ResponseWriter, r *http.Request) error {
	return answer(w, r, s.daemon.Info)
}

func (s *server) config(w http.ResponseWriter, r *http.Request) error {
	return answer(w, r, func(t Target) (Config, error) {
		app, config, err := s.daemon.Config(t)
		return Config{app, config}, err
	})
}

func (s *server) signal(w http.ResponseWriter, r *http.Request) error {
	return answer(w, r, func(b SignalRequest) (Sent, error) {
		slots, err := s.daemon.Signal(b.Target, b.Signal)
		return Sent{slots}, err
	})
}

func (s *server) send(w http.ResponseWriter, r *http.Request) error {
	return answer(w, r, func(b SendRequest) (Sent, error) {
		slots, err := s.daemon.Send(b.Target, b.Text)
		return Sent{slots}, err
	})
}

func (s *server) logs(w http.ResponseWriter, r *http.Request) error {
	req, err := read[LogRequest](r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	var out *stream
	open := func() { // not before the request is known to be good
		if out == nil {
			out = newStream(w)
		}
	}
	emit := func(e logs.Entry) error {
		open()
		if !req.Follow {
			return out.write("line", logLine(e))
		}
		return out.send("line", 0, logLine(e))
	}
	if req.Follow {
		if err := s.daemon.CheckLogs(req); err != nil {
			return err
		}
		open()
		go beatUntil(ctx, out, cancel)
	}
	err = s.daemon.Logs(ctx, req, emit)
	if out == nil && err != nil {
		return err
	}
	open()
	out.finish(struct{}{}, err)
	return nil
}

// beatUntil keeps a stream alive, and cancels it once its client is gone.
func beatUntil(ctx context.Context, out *stream, cancel context.CancelFunc) {
	ticker := time.NewTicker(beatEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if out.beat() != nil {
				cancel()
				return
			}
		}
	}
}

func (s *server) events(w http.ResponseWriter, r *http.Request) error {
	query, follow, err := eventQuery(r)
	if err != nil {
		return err
	}
	events, changed, err := s.daemon.Events(query)
	if err != nil {
		return err
	}
	out := newStream(w)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	if follow {
		go beatUntil(ctx, out, cancel)
	}
	for {
		for _, e := range events {
			if err := out.send("event", e.ID, e); err != nil {
				return nil
			}
			query.After = e.ID
		}
		query.Last, query.Limit = 0, 1000
		if !follow {
			out.finish(struct{}{}, nil)
			return nil
		}
		if len(events) == 0 {
			select {
			case <-changed:
			case <-ctx.Done():
				return nil
			}
		}
		if events, changed, err = s.daemon.Events(query); err != nil {
			out.finish(nil, err)
			return nil
		}
	}
}

func eventQuery(r *http.Request) (q store.EventQuery, follow bool, err error) {
	form := r.URL.Query()
	q.App, q.Type = form.Get("app"), form.Get("type")
	number := func(name string) (n int64) {
		if text := form.Get(name); text != "" && err == nil {
			if n, err = strconv.ParseInt(text, 10, 64); err != nil || n < 0 {
				err = muster.Errorf(muster.CodeInvalid, "", "%s=%s is not a number", name, text)
			}
		}
		return n
	}
	q.After, q.Last, q.Slot = number("after"), int(number("last")), int(number("slot"))
	if after := r.Header.Get("Last-Event-ID"); after != "" {
		q.After, _ = strconv.ParseInt(after, 10, 64)
	}
	if since := form.Get("since"); since != "" && err == nil {
		if q.Since, err = time.Parse(time.RFC3339Nano, since); err != nil {
			err = muster.Errorf(muster.CodeInvalid, "a time like 2026-01-31T12:00:00Z", "since=%s is not a time", since)
		}
	}
	return q, form.Get("follow") == "1", err
}

func (s *server) shutdown(w http.ResponseWriter, _ *http.Request) error {
	out := newStream(w)
	s.daemon.Shutdown("muster daemon stop", func() { out.finish(struct{}{}, nil) })
	return nil
}

func (s *server) upgrade(w http.ResponseWriter, r *http.Request) error {
	return answer(w, r, func(b UpgradeRequest) (struct{}, error) {
		return struct{}{}, s.daemon.Upgrade(r.Context(), b.Binary)
	})
}
