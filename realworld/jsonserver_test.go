package realworld

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestJSONServer(t *testing.T) {
	modules := nodeModules(t)
	m := newInstallation(t, map[string]string{
		"Procfile": "web: node_modules/.bin/json-server --host 127.0.0.1 --port $PORT db.json\n",
		"db.json":  `{"posts": [{"id": 1, "title": "kept by Muster"}]}`,
	})
	m.link(modules, "node_modules")
	m.live(freeBase(t, 1, 2), life{
		path: "/posts/1", text: `"kept by Muster"`,
		says: []string{"Loading db.json", "GET /posts/1 "},
	})
}

// What a program wrote to its own files is there after it was killed.
func TestJSONServerKeepsWhatItWasTold(t *testing.T) {
	modules := nodeModules(t)
	m := newInstallation(t, map[string]string{
		"Procfile": "web: node_modules/.bin/json-server --host 127.0.0.1 --port $PORT db.json\n",
		"db.json":  `{"posts": []}`,
	})
	m.link(modules, "node_modules")
	m.do("start", "-p", freeBase(t, 1, 1))
	m.answers("web.1", "/posts", "[]")
	url := fmt.Sprintf("http://127.0.0.1:%d/posts", m.process("web.1").Port)
	if body, err := request("POST", url, `{"id": 7, "title": "new"}`); err != nil || !strings.Contains(body, "new") {
		t.Fatalf("POST: %v: %s", err, body)
	}
	// It answers before it has written: what is told to it is kept a moment later.
	m.wait("db.json has the new post", func() string {
		data, err := os.ReadFile(filepath.Join(m.dir, "db.json"))
		if err != nil || !strings.Contains(string(data), `"new"`) {
			return string(data)
		}
		return ""
	})
	m.kill("web.1")
	m.answers("web.1", "/posts/7", `"new"`)
}
