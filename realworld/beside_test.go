package realworld

import (
	"os/exec"
	"testing"

	"muster"
)

// Programs of other languages run in the same formation: a Python server beside
// json-server, and a worker that is a shell loop.
func TestPythonAndShellBesideNode(t *testing.T) {
	modules := nodeModules(t)
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("python3 is not installed")
	}
	m := newInstallation(t, map[string]string{
		"Procfile": "api: node_modules/.bin/json-server --host 127.0.0.1 --port $PORT db.json\n" +
			"files: python3 -m http.server $PORT --bind 127.0.0.1 --directory public\n" +
			"worker: n=0; while true; do n=$((n+1)); echo \"round $n of $PS\"; sleep 0.2; done\n",
		"db.json":           `{"posts": [{"id": 1, "title": "from node"}]}`,
		"public/index.html": "<h1>from python</h1>\n",
	})
	m.link(modules, "node_modules")
	m.do("start", "-p", freeBase(t, 3, 2), "-m", "files=2,worker=2")
	m.answers("api.1", "/posts/1", "from node")
	m.answers("files.1", "/index.html", "from python")
	m.answers("files.2", "/index.html", "from python")
	m.waitLog("worker", "round 1 of worker.1", "round 1 of worker.2")
	m.waitLog("files", "GET /index.html")

	api := m.process("api.1").PID
	m.kill("files.1")
	m.kill("worker.2")
	m.answers("files.1", "/index.html", "from python")
	if now := m.process("api.1"); now.PID != api || now.State != muster.StateUp {
		t.Errorf("api.1 is %s with pid %d, and had %d: others' ends touched it", now.State, now.PID, api)
	}

	ports := []int{m.process("api.1").Port, m.process("files.1").Port, m.process("files.2").Port}
	m.do("stop")
	m.nothingLeft(ports...)
}
