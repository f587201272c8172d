package api

import (
	"time"
	"unicode/utf8"

	"muster"
	"muster/daemon"
	"muster/formation"
	"muster/logs"
)

// What crosses the door is what the daemon speaks of; nothing is translated.
type (
	Target       = daemon.Target
	StartRequest = daemon.StartRequest
	ScaleChange  = daemon.ScaleChange
	LogRequest   = daemon.LogRequest
	Progress     = daemon.Progress
	Result       = daemon.Result
	Failure      = daemon.Failure
	Status       = daemon.Status
	Info         = daemon.Info
	Change       = formation.Change
)

// A ScaleRequest is the body of /v1/scale.
type ScaleRequest struct {
	Target
	Changes []ScaleChange `json:"changes"`
}

// A ConfigRequest is the body of /v1/config/set.
type ConfigRequest struct {
	Target
	Set   muster.Env `json:"set,omitempty"`
	Unset []string   `json:"unset,omitempty"`
}

// A Config is an app's config vars.
type Config struct {
	App    string     `json:"app"`
	Config muster.Env `json:"config"`
}

// A SignalRequest is the body of /v1/signal.
type SignalRequest struct {
	Target
	Signal string `json:"signal"`
}

// A SendRequest is the body of /v1/send.
type SendRequest struct {
	Target
	Text string `json:"text"`
}

// Sent names the processes a signal or a line reached.
type Sent struct {
	Processes []muster.Slot `json:"processes"`
}

// A RunRequest is the body of /v1/run.
type RunRequest struct {
	Target
	Type     string         `json:"type,omitempty"`
	Command  muster.Command `json:"command"`
	Env      muster.Env     `json:"env,omitempty"`
	Terminal bool           `json:"terminal,omitempty"`
}

// An UpgradeRequest is the body of /v1/daemon/upgrade.
type UpgradeRequest struct {
	Binary string `json:"binary"`
}

// A LogLine is one line of a log stream. Text is the line where it is valid
// UTF-8; otherwise Bytes is it, unchanged.
type LogLine struct {
	App    string        `json:"app"`
	Type   string        `json:"type"`
	Slot   int           `json:"slot"`
	Name   string        `json:"name"`
	At     time.Time     `json:"at"`
	Stream muster.Stream `json:"stream,omitempty"`
	Text   string        `json:"text"`
	Bytes  []byte        `json:"bytes,omitempty"`
	// Partial says that the next line of the same process and stream goes on
	// where this one ends, and is Continued.
	Partial   bool `json:"partial,omitempty"`
	Continued bool `json:"continued,omitempty"`
	// Missed lines were removed before this reader came to them.
	Missed int64 `json:"missed,omitempty"`
}

func logLine(e logs.Entry) LogLine {
	l := LogLine{
		App: e.Slot.App, Type: e.Slot.Type, Slot: e.Slot.N, Name: e.Slot.Name(), At: e.At, Stream: e.Stream,
		Partial: e.Partial, Continued: e.Continued, Missed: e.Missed,
	}
	if utf8.Valid(e.Text) {
		l.Text = string(e.Text)
	} else {
		l.Bytes = e.Text
	}
	return l
}

// Raw is the line's bytes.
func (l LogLine) Raw() []byte {
	if l.Bytes != nil {
		return l.Bytes
	}
	return []byte(l.Text)
}
