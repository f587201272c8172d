package events

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"muster"
)

// memory is a store that can refuse.
type memory struct {
	mu     sync.Mutex // guards what follows
	events []muster.Event
	refuse error
	tries  int
}

func (m *memory) AppendEvents(batch []muster.Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tries++
	if m.refuse != nil {
		return m.refuse
	}
	m.events = append(m.events, batch...)
	return nil
}

func (m *memory) LastEventID() (int64, error) { return int64(len(m.events)), nil }

func (m *memory) set(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refuse = err
}

func (m *memory) all() []muster.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]muster.Event(nil), m.events...)
}

// inJournal runs a story over a journal that writes, in fake time.
func inJournal(t *testing.T, store *memory, story func(t *testing.T, j *Journal)) (warnings int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		j, err := Open(store, func(error) { warnings++ })
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { j.Run(ctx) })
		story(t, j)
		cancel()
		running.Wait()
	})
	return warnings
}

func inOrder(t *testing.T, events []muster.Event, from, n int) {
	t.Helper()
	if len(events) != n {
		t.Fatalf("%d events, want %d", len(events), n)
	}
	for i, e := range events {
		if e.ID != int64(from+i) {
			t.Fatalf("event %d has ID %d, want %d", i, e.ID, from+i)
		}
	}
}

func TestEventsAreNumberedAndStoredInOrder(t *testing.T) {
	store := &memory{}
	inJournal(t, store, func(t *testing.T, j *Journal) {
		var writers sync.WaitGroup
		for range 10 {
			writers.Go(func() {
				for range 100 {
					j.Append(muster.Event{Kind: muster.EventUp})
				}
			})
		}
		writers.Wait()
		synctest.Wait()
		if id, _ := j.Stored(); id != 1000 {
			t.Errorf("stored up to %d", id)
		}
	})
	inOrder(t, store.all(), 1, 1000)
	if store.all()[0].At.IsZero() {
		t.Error("an event has no time")
	}
}

func TestTheJournalGoesOnAfterAnEarlierOne(t *testing.T) {
	store := &memory{}
	for run := range 3 {
		inJournal(t, store, func(t *testing.T, j *Journal) { j.Append(muster.Event{Message: fmt.Sprint(run)}) })
	}
	inOrder(t, store.all(), 1, 3)
}

func TestWhatIsAppendedLastIsWrittenAtTheEnd(t *testing.T) {
	store := &memory{}
	inJournal(t, store, func(t *testing.T, j *Journal) {
		for range 50 {
			j.Append(muster.Event{})
		}
	})
	inOrder(t, store.all(), 1, 50)
}

func TestFollowersAreWoken(t *testing.T) {
	inJournal(t, &memory{}, func(t *testing.T, j *Journal) {
		var followers sync.WaitGroup
		for range 5 {
			followers.Go(func() {
				for {
					id, changed := j.Stored()
					if id == 100 {
						return
					}
					<-changed
				}
			})
		}
		for range 100 {
			j.Append(muster.Event{})
		}
		followers.Wait()
	})
}

func TestARefusingStoreLosesNothing(t *testing.T) {
	store := &memory{refuse: errors.New("disk is full")}
	warnings := inJournal(t, store, func(t *testing.T, j *Journal) {
		for range 10 {
			j.Append(muster.Event{})
			<-time.After(time.Second)
		}
		if id, _ := j.Stored(); id != 0 {
			t.Errorf("stored up to %d in a store that refuses", id)
		}
		store.set(nil)
		<-time.After(2 * time.Second) // it tries again by itself
		synctest.Wait()
		if id, _ := j.Stored(); id != 10 {
			t.Errorf("stored up to %d after the store recovered", id)
		}
	})
	inOrder(t, store.all(), 1, 10)
	if warnings == 0 {
		t.Error("nobody was told")
	}
}

func TestARefusingStoreIsNotHammered(t *testing.T) {
	store := &memory{refuse: errors.New("disk is full")}
	inJournal(t, store, func(t *testing.T, j *Journal) {
		j.Append(muster.Event{})
		<-time.After(time.Hour)
		synctest.Wait()
	})
	if store.tries > 4000 {
		t.Errorf("%d tries in an hour", store.tries)
	}
}

func TestTheOldestAreGivenUpBeyondTheBound(t *testing.T) {
	store := &memory{refuse: errors.New("disk is full")}
	inJournal(t, store, func(t *testing.T, j *Journal) {
		for range maxPending + 500 {
			j.Append(muster.Event{})
		}
		synctest.Wait()
		store.set(nil)
		<-time.After(3 * time.Second)
	})
	inOrder(t, store.all(), 501, maxPending)
}
