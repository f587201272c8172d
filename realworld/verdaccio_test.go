package realworld

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"testing"
)

const verdaccioConfig = `storage: ./storage
auth:
  htpasswd:
    file: ./htpasswd
packages:
  '**':
    access: $all
    publish: $all
log: { type: stdout, format: pretty, level: http }
`

var verdaccioFiles = map[string]string{
	"Procfile":    "web: node_modules/.bin/verdaccio --config config.yaml --listen 127.0.0.1:$PORT\n",
	"muster.toml": "[process.web]\nready = { http = \"/-/ping\" }\n",
	"config.yaml": verdaccioConfig,
}

func TestVerdaccio(t *testing.T) {
	modules := nodeModules(t)
	m := newInstallation(t, verdaccioFiles)
	m.link(modules, "node_modules")
	m.live(freeBase(t, 1, 2), life{
		path: "/-/all", text: "_updated",
		says: []string{"http address", "/-/ping"},
	})
}

// A package published to one process is read from the other, and outlives both.
func TestVerdaccioServesWhatWasPublished(t *testing.T) {
	modules := nodeModules(t)
	m := newInstallation(t, verdaccioFiles)
	m.link(modules, "node_modules")
	m.do("start", "-p", freeBase(t, 1, 2), "-m", "web=2")
	url := fmt.Sprintf("http://127.0.0.1:%d/kept", m.process("web.1").Port)
	if _, err := request("PUT", url, publication(t, "kept", "1.2.3", []byte("not really a tarball"))); err != nil {
		t.Fatal(err)
	}
	m.answers("web.2", "/kept", `"1.2.3"`)
	m.kill("web.2")
	m.answers("web.2", "/kept", `"1.2.3"`)
	m.do("restart")
	m.answers("web.1", "/kept/-/kept-1.2.3.tgz", "not really a tarball")
}

// publication is what npm publish sends.
func publication(t *testing.T, name, version string, tarball []byte) string {
	t.Helper()
	sum := sha1.Sum(tarball)
	file := name + "-" + version + ".tgz"
	body := map[string]any{
		"_id": name, "name": name, "dist-tags": map[string]any{"latest": version},
		"versions": map[string]any{version: map[string]any{
			"name": name, "version": version,
			"dist": map[string]any{"shasum": hex.EncodeToString(sum[:]), "tarball": "http://localhost/" + name + "/-/" + file},
		}},
		"_attachments": map[string]any{file: map[string]any{
			"content_type": "application/octet-stream", "data": base64.StdEncoding.EncodeToString(tarball), "length": len(tarball),
		}},
	}
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
