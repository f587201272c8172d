package supervisor

import (
	"context"
	"sync"
)

// An inbox is a queue without a bound. What is in it is bounded by what can
// happen: one exit a process, one answer a question.
type inbox struct {
	ready chan struct{} // holds one token while there is something to take

	mu    sync.Mutex // guards queue
	queue []func()
}

func newInbox() *inbox { return &inbox{ready: make(chan struct{}, 1)} }

func (b *inbox) put(f func()) {
	b.mu.Lock()
	b.queue = append(b.queue, f)
	b.mu.Unlock()
	select {
	case b.ready <- struct{}{}:
	default:
	}
}

func (b *inbox) take() []func() {
	b.mu.Lock()
	defer b.mu.Unlock()
	queue := b.queue
	b.queue = nil
	return queue
}

// work carries out what is put in, until ctx ends.
func (b *inbox) work(ctx context.Context) {
	for {
		select {
		case <-b.ready:
			for _, f := range b.take() {
				if ctx.Err() == nil {
					f()
				}
			}
		case <-ctx.Done():
			return
		}
	}
}
