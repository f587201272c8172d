// Package api is the one door to Muster: HTTP and JSON over a Unix socket.
// Every face (command line, terminal, web, other programs) comes through it.
//
//	types.go    what crosses the door
//	server.go   routes, who may enter, errors -> status codes
//	handle.go   one handler a route
//	stream.go   Server-Sent Events, both ways
//	handover.go descriptors: muster run and attach
//	client.go   the other side of the door
//
// Whatever takes time answers as a stream of Server-Sent Events: any number of
// "progress" (or "line", "event"), then one "result" or "error". Errors
// elsewhere are {"error":{"code","message","hint"}} with a matching status.
package api

import "net/http"

// Routes are documented here and nowhere else; docs/api.md is made from them.
var routes = []struct {
	Pattern, Does string
	handler       func(*server, http.ResponseWriter, *http.Request) error
}{
	{"GET /v1/status", "Muster's own state: version, pids, home", (*server).status},
	{"POST /v1/start", "apply an app's manifest (stream of progress)", (*server).start},
	{"POST /v1/stop", "stop processes and keep them down (stream)", (*server).stop},
	{"POST /v1/resume", "start what was stopped or has crashed (stream)", (*server).resume},
	{"POST /v1/restart", "restart processes in place (stream)", (*server).restart},
	{"POST /v1/reload", "replace processes one by one (stream)", (*server).reload},
	{"POST /v1/delete", "stop apps and forget them (stream)", (*server).delete},
	{"POST /v1/scale", "change a formation (stream)", (*server).scale},
	{"POST /v1/processes", "list processes", (*server).processes},
	{"POST /v1/info", "everything known of processes", (*server).info},
	{"POST /v1/logs", "log lines (stream of \"line\")", (*server).logs},
	{"GET /v1/events", "the journal (?after=ID&last=N&since=TIME&app=A&follow=1), a stream of \"event\"", (*server).events},
	{"POST /v1/config/get", "an app's config vars, values included", (*server).config},
	{"POST /v1/config/set", "set and unset config vars; restarts by rolling (stream)", (*server).setConfig},
	{"POST /v1/signal", "send a signal", (*server).signal},
	{"POST /v1/send", "write a line to standard inputs", (*server).send},
	{"POST /v1/run", "one-off process on descriptors sent over the upgraded connection", (*server).run},
	{"POST /v1/attach", "a process's standard input, as a descriptor sent over the upgraded connection", (*server).attach},
	{"POST /v1/daemon/stop", "stop all processes in order, then Muster", (*server).shutdown},
	{"POST /v1/daemon/upgrade", "become another binary without stopping anything", (*server).upgrade},
}
