// Package footprint keeps Muster's own memory small. A supervisor is idle most
// of its life; what its start needed must not stay resident for it.
//
// It uses the standard library only, for the keeper does.
package footprint

import (
	"runtime/debug"
	"sync"
	"time"
)

// quiet is how long nothing must have happened before memory is given back.
const quiet = 2 * time.Second

// A Trimmer gives memory back once it has been quiet for a while.
type Trimmer struct {
	mu    sync.Mutex // guards timer
	timer *time.Timer
}

// New returns a Trimmer that waits to be Busy.
func New() *Trimmer { return &Trimmer{} }

// Busy says that something happened; memory is given back some time after the
// last call.
func (t *Trimmer) Busy() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timer == nil {
		t.timer = time.AfterFunc(quiet, trim)
		return
	}
	t.timer.Reset(quiet)
}

// Stop forgets a pending trim.
func (t *Trimmer) Stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timer != nil {
		t.timer.Stop()
	}
}

func trim() {
	debug.FreeOSMemory()
	dropCode()
}
