package realworld

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// client opens a connection for every request: one that is kept would answer
// for a process that was replaced.
var client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// request does one request and returns the body of a good answer.
func request(method, url, body string) (string, error) {
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s: %s", method, url, res.Status, data)
	}
	return string(data), err
}

// answers waits until a process answers on its own PORT with a text.
func (m *installation) answers(process, path, text string) {
	m.t.Helper()
	m.wait(process+" answers "+path, func() string {
		port := m.process(process).Port
		body, err := request("GET", fmt.Sprintf("http://127.0.0.1:%d%s", port, path), "")
		switch {
		case err != nil:
			return err.Error()
		case !strings.Contains(body, text):
			return fmt.Sprintf("%q is not in %q", text, body)
		}
		return ""
	})
}

// freeBase returns a base whose first ports for each of types are free. Other
// tests choose theirs at the same time, so it is drawn and not searched for.
func freeBase(t *testing.T, types, each int) string {
	t.Helper()
	for range 100 {
		base := 12000 + 1000*rand.IntN(18) + 10*rand.IntN(10)
		if allFree(base, types, each) {
			return fmt.Sprint(base)
		}
	}
	t.Fatal("found no free ports")
	return ""
}

func allFree(base, types, each int) bool {
	for i := range types {
		for n := range each {
			l, err := net.Listen("tcp", fmt.Sprintf(":%d", base+100*i+n))
			if err != nil {
				return false
			}
			l.Close()
		}
	}
	return true
}
