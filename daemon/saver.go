package daemon

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"

	"muster/store"
	"muster/supervisor"
)

// A saver writes slots' records behind the supervisor's back, the newest of
// each only. The write reaches the kernel within a moment, which is what
// surviving kill -9 needs; it is not synced.
type saver struct {
	store *store.Store
	wake  chan struct{}

	mu      sync.Mutex // guards pending
	pending map[string]store.Slot
}

func newSaver(s *store.Store) *saver {
	return &saver{store: s, wake: make(chan struct{}, 1), pending: map[string]store.Slot{}}
}

func (s *saver) save(r supervisor.Record) {
	slot := store.Slot{Key: r.Slot.String(), App: r.Slot.App}
	if !r.Gone {
		slot.Data, _ = json.Marshal(r)
	}
	s.mu.Lock()
	s.pending[slot.Key] = slot
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *saver) run(ctx context.Context) {
	for {
		select {
		case <-s.wake:
			s.write()
		case <-ctx.Done():
			s.write()
			return
		}
	}
}

func (s *saver) write() {
	s.mu.Lock()
	batch := make([]store.Slot, 0, len(s.pending))
	for _, slot := range s.pending {
		batch = append(batch, slot)
	}
	clear(s.pending)
	s.mu.Unlock()
	if len(batch) == 0 {
		return
	}
	if err := s.store.PutSlots(batch); err != nil {
		slog.Error("store slots", "error", err)
	}
}
