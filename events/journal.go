// Package events is the journal of what happened. Every event is stored and
// then told to followers; a follower that is slow reads the store at its own
// pace, so it costs no memory and misses nothing.
package events

import (
	"context"
	"sync"
	"time"

	"muster"
)

// A Store keeps events; package store's does.
type Store interface {
	AppendEvents([]muster.Event) error
	LastEventID() (int64, error)
}

// A Journal numbers events and writes them behind the caller's back.
type Journal struct {
	store Store
	warn  func(error)

	mu      sync.Mutex // guards what follows
	next    int64
	pending []muster.Event
	stored  int64         // the last ID that can be read
	changed chan struct{} // closed and replaced when stored grows
	wake    chan struct{}
}

// maxPending bounds what waits for a store that refuses (a full disk). Beyond
// it the oldest are given up: the journal then has a gap in its numbers.
const maxPending = 10_000

// Open continues a store's journal. warn is told when writing fails.
func Open(store Store, warn func(error)) (*Journal, error) {
	last, err := store.LastEventID()
	if err != nil {
		return nil, err
	}
	return &Journal{store: store, warn: warn, next: last + 1, stored: last, changed: make(chan struct{}), wake: make(chan struct{}, 1)}, nil
}

// Append takes an event. It does not wait for the disk.
func (j *Journal) Append(e muster.Event) {
	j.mu.Lock()
	if e.At.IsZero() {
		e.At = time.Now()
	}
	e.ID = j.next
	j.next++
	if len(j.pending) >= maxPending {
		j.pending = j.pending[1:]
	}
	j.pending = append(j.pending, e)
	j.mu.Unlock()
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// Run writes until ctx ends, and then what is left.
func (j *Journal) Run(ctx context.Context) {
	for {
		select {
		case <-j.wake:
			j.write()
		case <-ctx.Done():
			j.write()
			return
		}
	}
}

func (j *Journal) write() {
	j.mu.Lock()
	batch := j.pending
	j.pending = nil
	j.mu.Unlock()
	if len(batch) == 0 {
		return
	}
	err := j.store.AppendEvents(batch)
	if err != nil {
		j.warn(err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil {
		j.pending = append(batch, j.pending...)
		if over := len(j.pending) - maxPending; over > 0 {
			j.pending = j.pending[over:]
		}
		time.AfterFunc(time.Second, func() {
			select {
			case j.wake <- struct{}{}:
			default:
			}
		})
		return
	}
	j.stored = batch[len(batch)-1].ID
	close(j.changed)
	j.changed = make(chan struct{})
}

// Stored returns the ID up to which events can be read, and a channel that is
// closed when there are more.
func (j *Journal) Stored() (id int64, changed <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.stored, j.changed
}

// syncPatience is how long Sync waits for a store that does not take events.
const syncPatience = time.Second

// Sync returns once everything appended so far can be read.
func (j *Journal) Sync(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, syncPatience)
	defer cancel()
	j.mu.Lock()
	last := j.next - 1
	j.mu.Unlock()
	for {
		stored, changed := j.Stored()
		if stored >= last {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}
