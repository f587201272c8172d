package readiness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"muster"
)

// maxBody is how much of an answer is read, in bytes. Reading it lets the
// server finish in peace; its text does not matter.
const maxBody = 64 << 10

// httpGet asks for a path. Answers from 200 to 399 are good; a redirect is an
// answer and not followed. Every question has its own connection: an old one
// may lead to a process that no longer takes new ones. No proxy is asked,
// whatever the environment says.
func httpGet(p muster.Probe) asker {
	address := "http://" + net.JoinHostPort(p.Host, strconv.Itoa(p.Port)) + "/" + strings.TrimPrefix(p.Path, "/")
	return func(ctx context.Context) error {
		status, err := get(ctx, address)
		switch {
		case err != nil:
			return fmt.Errorf("GET %s: %s", address, plain(err))
		case status < 200 || status > 399:
			return fmt.Errorf("GET %s answered %d", address, status)
		}
		return nil
	}
}

func get(ctx context.Context, address string) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, bare(err)
	}
	request.Header.Set("User-Agent", "muster/"+muster.Version)
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport, CheckRedirect: keepRedirect}
	response, err := client.Do(request)
	if err != nil {
		return 0, bare(err)
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, maxBody) // the status is the answer
	return response.StatusCode, nil
}

func keepRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// bare drops the method and address that net/http adds.
func bare(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the connection was closed without an answer")
	}
	if e, ok := err.(*url.Error); ok && !e.Timeout() {
		return e.Err
	}
	return err
}
