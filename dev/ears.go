package dev

import (
	"bytes"
	"context"
	"sync"
	"time"

	"muster"
	"muster/keeper"
)

// ears keep the last lines of a process whose readiness is a line in its log,
// on their way to the terminal.
type ears struct {
	keeper.Sink

	mu    sync.Mutex // guards what follows
	lines [][]byte
	first int // number of lines[0] in the process's life
	wake  chan struct{}
}

// maxHeard bounds what is kept for a probe that has not come yet.
const maxHeard = 1000

// Write implements keeper.Sink.
func (e *ears) Write(stream muster.Stream, at time.Time, data []byte, partial bool) {
	e.Sink.Write(stream, at, data, partial)
	e.mu.Lock()
	defer e.mu.Unlock()
	for line := range bytes.Lines(data) {
		e.lines = append(e.lines, bytes.Clone(bytes.TrimRight(line, "\n")))
	}
	if over := len(e.lines) - maxHeard; over > 0 {
		e.lines, e.first = e.lines[over:], e.first+over
	}
	close(e.wake)
	e.wake = make(chan struct{})
}

// after returns the line with a number, or a channel that is closed when there
// may be one.
func (e *ears) after(number int) (line []byte, next int, wake <-chan struct{}) {
	e.mu.Lock()
	defer e.mu.Unlock()
	number = max(number, e.first)
	if number < e.first+len(e.lines) {
		return e.lines[number-e.first], number + 1, nil
	}
	return nil, number, e.wake
}

// listen gives a sink ears, where the process's type has a "log" probe.
func (r *runner) listen(name string, sink keeper.Sink) keeper.Sink {
	typ, _, _ := muster.ParseSlotName(name)
	t := r.options.App.Type(typ)
	if t == nil || t.Ready == nil || t.Ready.Kind != muster.ProbeLog {
		return sink
	}
	e := &ears{Sink: sink, wake: make(chan struct{})}
	r.mu.Lock()
	r.heard[name] = e
	r.mu.Unlock()
	return e
}

// lines implements supervisor.Options.Lines.
func (r *runner) lines(ctx context.Context, slot muster.Slot, _ time.Time) <-chan []byte {
	out := make(chan []byte)
	r.mu.Lock()
	e := r.heard[slot.Name()]
	r.mu.Unlock()
	r.tasks.Go(func() {
		defer close(out)
		for number := 0; e != nil; {
			line, next, wake := e.after(number)
			number = next
			if wake != nil {
				select {
				case <-wake:
					continue
				case <-ctx.Done():
					return
				}
			}
			select {
			case out <- line:
			case <-ctx.Done():
				return
			}
		}
	})
	return out
}
