package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"muster"
	"muster/home"
)

// A Client speaks to the Muster of one home.
type Client struct {
	home home.Home
	http *http.Client
}

// answerWithin is how long a living daemon takes to answer anything. The
// socket outlives daemons, so a connection alone proves nothing.
const answerWithin = 10 * time.Second

// NewClient returns a client; it connects with each request.
func NewClient(h home.Home) *Client {
	c := &Client{home: h}
	c.http = &http.Client{Transport: &http.Transport{
		DialContext:           func(ctx context.Context, _, _ string) (net.Conn, error) { return c.dial(ctx) },
		ResponseHeaderTimeout: answerWithin,
		DisableCompression:    true,
	}}
	return c
}

func (c *Client) dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "unix", c.home.Socket())
}

// Running reports whether a Muster answers.
func (c *Client) Running(ctx context.Context) bool {
	_, err := c.Status(ctx)
	return err == nil
}

// explain turns a transport's error into what a person can act on.
func (c *Client) explain(err error) error {
	var e *muster.Error
	var netErr net.Error
	switch {
	case errors.As(err, &e):
		return err
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ECONNREFUSED):
		return muster.Errorf(muster.CodeUnavailable, "muster start in an app's directory", "Muster is not running (%s)", c.home)
	case errors.Is(err, syscall.EACCES):
		return muster.Errorf(muster.CodeForbidden, "running as its owner, or another MUSTER_HOME", "the Muster of %s is not yours", c.home)
	case errors.As(err, &netErr) && netErr.Timeout():
		return c.explainSilence()
	case died(err):
		return muster.Errorf(muster.CodeUnavailable, "muster ps, which shows what has come of it", "Muster's daemon died before it answered: %w", err)
	}
	return fmt.Errorf("ask Muster: %w", err)
}

// explainSilence finds out why nobody answers on a socket that is there.
func (c *Client) explainSilence() error {
	if reason, err := os.ReadFile(c.home.FatalFile()); err == nil {
		return muster.Errorf(muster.CodeUnavailable, "", "Muster's daemon can not start: %s", strings.TrimSpace(string(reason)))
	}
	return muster.Errorf(muster.CodeUnavailable, "reading "+c.home.Logs()+"/muster/daemon.1", "Muster's daemon did not answer within %s", answerWithin)
}

func (c *Client) request(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var content io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://muster"+path, content)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	for retry := 0; err != nil && died(err) && harmless(method, path) && retry < retries; retry++ {
		// The next daemon takes the connection from the same socket.
		select {
		case <-time.After(retryPause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if req.GetBody != nil {
			req.Body, _ = req.GetBody()
		}
		resp, err = c.http.Do(req)
	}
	if err != nil {
		return nil, c.explain(err)
	}
	if resp.StatusCode >= 400 {
		defer resp.Body.Close()
		return nil, readError(resp.Body, resp.Status)
	}
	return resp, nil
}

// A daemon that is killed takes its connections along; what only asks may be
// asked again.
const (
	retries    = 100
	retryPause = 20 * time.Millisecond
)

// died reports that the daemon went away with the request.
func died(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// harmless reports a request that changes nothing, or nothing more the second
// time.
func harmless(method, path string) bool {
	if method == "GET" {
		return true
	}
	switch path {
	case "/v1/processes", "/v1/info", "/v1/logs", "/v1/config/get", "/v1/start", "/v1/stop", "/v1/resume", "/v1/config/set":
		return true
	}
	return false
}

func readError(r io.Reader, status string) error {
	var body errorBody
	if err := json.NewDecoder(r).Decode(&body); err != nil || body.Error == nil {
		return muster.Errorf(muster.CodeInternal, "", "Muster answered %s", status)
	}
	return body.Error
}

// ask sends a question and decodes the answer.
func (c *Client) ask(ctx context.Context, method, path string, body, result any) error {
	resp, err := c.request(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(result)
}

// stream sends a request and calls each for every event of the answer.
func (c *Client) stream(ctx context.Context, method, path string, body any, each func(event string, data []byte) error) error {
	resp, err := c.request(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := readStream(resp.Body, each); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
	return nil
}

// operate sends a command and tells its progress.
func (c *Client) operate(ctx context.Context, path string, body any, tell func(Progress)) (result Result, err error) {
	err = c.stream(ctx, "POST", path, body, func(event string, data []byte) error {
		if event == "progress" {
			var p Progress
			if err := json.Unmarshal(data, &p); err != nil {
				return err
			}
			tell(p)
			return nil
		}
		return json.Unmarshal(data, &result)
	})
	return result, err
}

// Status asks for Muster's own state.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	err = c.ask(ctx, "GET", "/v1/status", nil, &s)
	return s, err
}

// Start applies a manifest.
func (c *Client) Start(ctx context.Context, r StartRequest, tell func(Progress)) (Result, error) {
	return c.operate(ctx, "/v1/start", r, tell)
}

// Stop stops processes.
func (c *Client) Stop(ctx context.Context, t Target, tell func(Progress)) (Result, error) {
	return c.operate(ctx, "/v1/stop", t, tell)
}

// Resume starts what was stopped or has crashed.
func (c *Client) Resume(ctx context.Context, t Target, tell func(Progress)) (Result, error) {
	return c.operate(ctx, "/v1/resume", t, tell)
}

// Restart restarts processes in place.
func (c *Client) Restart(ctx context.Context, t Target, tell func(Progress)) (Result, error) {
	return c.operate(ctx, "/v1/restart", t, tell)
}

// Reload replaces processes one by one.
func (c *Client) Reload(ctx context.Context, t Target, tell func(Progress)) (Result, error) {
	return c.operate(ctx, "/v1/reload", t, tell)
}

// Delete stops apps and forgets them.
func (c *Client) Delete(ctx context.Context, t Target, tell func(Progress)) (Result, error) {
	return c.operate(ctx, "/v1/delete", t, tell)
}

// Scale changes a formation.
func (c *Client) Scale(ctx context.Context, r ScaleRequest, tell func(Progress)) (Result, error) {
	return c.operate(ctx, "/v1/scale", r, tell)
}

// SetConfig sets and unsets config vars.
func (c *Client) SetConfig(ctx context.Context, r ConfigRequest, tell func(Progress)) (Result, error) {
	return c.operate(ctx, "/v1/config/set", r, tell)
}

// Config asks for config vars.
func (c *Client) Config(ctx context.Context, t Target) (config Config, err error) {
	err = c.ask(ctx, "POST", "/v1/config/get", t, &config)
	return config, err
}

// Processes lists processes.
func (c *Client) Processes(ctx context.Context, t Target) (list []muster.Process, err error) {
	err = c.ask(ctx, "POST", "/v1/processes", t, &list)
	return list, err
}

// Info asks for everything known of processes.
func (c *Client) Info(ctx context.Context, t Target) (infos []Info, err error) {
	err = c.ask(ctx, "POST", "/v1/info", t, &infos)
	return infos, err
}

// Logs calls each for every line.
func (c *Client) Logs(ctx context.Context, r LogRequest, each func(LogLine) error) error {
	return c.stream(ctx, "POST", "/v1/logs", r, func(event string, data []byte) error {
		if event != "line" {
			return nil
		}
		var line LogLine
		if err := json.Unmarshal(data, &line); err != nil {
			return err
		}
		return each(line)
	})
}

// Events calls each for every event; query holds the request's parameters.
func (c *Client) Events(ctx context.Context, query url.Values, each func(muster.Event) error) error {
	return c.stream(ctx, "GET", "/v1/events?"+query.Encode(), nil, func(event string, data []byte) error {
		if event != "event" {
			return nil
		}
		var e muster.Event
		if err := json.Unmarshal(data, &e); err != nil {
			return err
		}
		return each(e)
	})
}

// Signal sends a signal.
func (c *Client) Signal(ctx context.Context, r SignalRequest) (sent Sent, err error) {
	err = c.ask(ctx, "POST", "/v1/signal", r, &sent)
	return sent, err
}

// Send writes a line to standard inputs.
func (c *Client) Send(ctx context.Context, r SendRequest) (sent Sent, err error) {
	err = c.ask(ctx, "POST", "/v1/send", r, &sent)
	return sent, err
}

// Shutdown stops all processes and Muster.
func (c *Client) Shutdown(ctx context.Context) error {
	return c.stream(ctx, "POST", "/v1/daemon/stop", nil, func(string, []byte) error { return nil })
}

// Upgrade makes Muster become another binary. The connection may end before
// the answer: the daemon is replaced, too.
func (c *Client) Upgrade(ctx context.Context, binary string) error {
	err := c.ask(ctx, "POST", "/v1/daemon/upgrade", UpgradeRequest{binary}, &struct{}{})
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
		return nil
	}
	return err
}

// handover opens an upgraded connection.
func (c *Client) handover(ctx context.Context, path string, body any) (*net.UnixConn, *bufio.Reader, error) {
	conn, err := c.dial(ctx)
	if err != nil {
		return nil, nil, c.explain(err)
	}
	data, err := json.Marshal(body)
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	unix := conn.(*net.UnixConn)
	_, err = fmt.Fprintf(unix, "POST %s HTTP/1.1\r\nHost: muster\r\nConnection: Upgrade\r\nUpgrade: %s\r\nContent-Length: %d\r\n\r\n%s",
		path, handoverProtocol, len(data), data)
	if err == nil {
		err = readSwitch(unix)
	}
	if err != nil {
		unix.Close()
		return nil, nil, err
	}
	return unix, bufio.NewReader(unix), nil
}

// readSwitch reads the 101 byte by byte: nothing after it may be buffered, for
// descriptors may come with it.
func readSwitch(conn *net.UnixConn) error {
	var head bytes.Buffer
	one := make([]byte, 1)
	for !bytes.HasSuffix(head.Bytes(), []byte("\r\n\r\n")) {
		if _, err := conn.Read(one); err != nil || head.Len() > 16<<10 {
			return errors.Join(ErrStreamEnded, err)
		}
		head.Write(one)
	}
	resp, err := http.ReadResponse(bufio.NewReader(io.MultiReader(&head, conn)), nil)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return readError(resp.Body, resp.Status)
	}
	return nil
}

// Run starts a one-off on files, tells who it is, and waits for its end.
func (c *Client) Run(ctx context.Context, r RunRequest, files [3]*os.File, started func(muster.Slot)) (muster.Exit, error) {
	conn, reader, err := c.handover(ctx, "/v1/run", r)
	if err != nil {
		return muster.Exit{}, err
	}
	defer conn.Close()
	if err := sendFiles(conn, []byte{0}, files[:]...); err != nil {
		return muster.Exit{}, err
	}
	first, err := reader.ReadBytes('\n')
	if err != nil {
		return muster.Exit{}, ErrStreamEnded
	}
	var began RunStarted
	var ended RunEnded
	if json.Unmarshal(first, &ended) == nil && ended.Err != nil {
		return muster.Exit{}, ended.Err
	}
	if err := json.Unmarshal(first, &began); err != nil {
		return muster.Exit{}, err
	}
	started(began.Slot)
	last, err := reader.ReadBytes('\n')
	if err != nil {
		return c.awaitExit(ctx, began.Slot)
	}
	if err := json.Unmarshal(last, &ended); err != nil || ended.Exit == nil {
		return muster.Exit{}, fmt.Errorf("unreadable end of %s: %s", began.Slot, last)
	}
	return *ended.Exit, nil
}

// awaitExit waits for a one-off whose daemon died under the connection: the
// next one journals its end.
func (c *Client) awaitExit(ctx context.Context, slot muster.Slot) (exit muster.Exit, err error) {
	found := errors.New("found")
	query := url.Values{"app": {slot.App}, "type": {slot.Type}, "slot": {fmt.Sprint(slot.N)}, "last": {"1"}, "follow": {"1"}}
	err = c.Events(ctx, query, func(e muster.Event) error {
		if e.Exit != nil {
			exit = *e.Exit
			return found
		}
		return nil
	})
	if errors.Is(err, found) {
		return exit, nil
	}
	return exit, err
}

// Attach returns the writing end of a process's standard input.
func (c *Client) Attach(ctx context.Context, t Target) (slot muster.Slot, stdin *os.File, err error) {
	conn, _, err := c.handover(ctx, "/v1/attach", t)
	if err != nil {
		return slot, nil, err
	}
	defer conn.Close()
	files, err := receiveFiles(conn, 1)
	if err != nil {
		return slot, nil, err
	}
	rest, _ := io.ReadAll(conn)
	var began RunStarted
	if err := json.Unmarshal(append([]byte("{"), rest...), &began); err != nil {
		files[0].Close()
		return slot, nil, err
	}
	return began.Slot, files[0], nil
}
