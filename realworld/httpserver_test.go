package realworld

import "testing"

// http-server is started as people start it: npx, a shell and node. Muster
// watches npx, and must end the node behind it with it: kill -9 of npx leaves
// the port taken otherwise.
func TestHTTPServerBehindNpx(t *testing.T) {
	modules := nodeModules(t)
	m := newInstallation(t, map[string]string{
		"Procfile":          "web: npx --no-install http-server public -a 127.0.0.1 -p $PORT -c-1\n",
		"package.json":      `{"name": "shop", "version": "1.0.0", "private": true}`,
		"public/index.html": "<h1>served under care</h1>\n",
	})
	m.link(modules, "node_modules")
	m.live(freeBase(t, 1, 2), life{
		path: "/index.html", text: "served under care",
		says: []string{"Starting up http-server, serving public", `"GET /index.html"`},
	})
}
