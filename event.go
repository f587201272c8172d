package muster

import "time"

// An Event is a fact that happened, with its cause. Everything Muster does is
// one; the journal of them answers "what happened, and why".
type Event struct {
	// ID grows by one with every event of a machine; followers resume after it.
	ID   int64     `json:"id"`
	At   time.Time `json:"at"`
	App  string    `json:"app,omitempty"`
	Type string    `json:"type,omitempty"`
	Slot int       `json:"slot,omitempty"`
	Kind EventKind `json:"kind"`
	// State is the state a process is in after the event, where it concerns one.
	State State `json:"state,omitempty"`
	PID   int   `json:"pid,omitempty"`
	// Message is the sentence a person reads:
	// "web.1 exited: signal KILL (out of memory) -> restarting in 0 ms".
	Message string `json:"message"`
	// Exit is set on EventExited.
	Exit *Exit `json:"exit,omitempty"`
}

// An EventKind is what happened. The set is closed.
type EventKind string

const (
	EventApplied   EventKind = "applied"   // an app's manifest was taken, or its formation changed
	EventDeleted   EventKind = "deleted"   // an app was forgotten
	EventStarting  EventKind = "starting"  // a process was spawned
	EventUp        EventKind = "up"        // a process is ready
	EventStopping  EventKind = "stopping"  // a process was asked to end
	EventExited    EventKind = "exited"    // a process ended
	EventCrashed   EventKind = "crashed"   // a process will not be started again by itself
	EventDown      EventKind = "down"      // a slot is empty, as it should be
	EventWaiting   EventKind = "waiting"   // a process waits for what it depends on
	EventSignalled EventKind = "signalled" // a person sent a signal
	EventConfig    EventKind = "config"    // config vars changed; names only, never values
	EventWarning   EventKind = "warning"   // something is not as asked: a taken port, a limit not enforced
	EventDaemon    EventKind = "daemon"    // Muster itself: started, adopted, upgraded, stopped
)
