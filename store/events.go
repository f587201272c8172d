package store

import (
	"database/sql"
	"encoding/json"
	"strings"
	"time"

	"muster"
)

// keepEvents bounds the journal: about a month of a busy machine, some 50 MB.
const keepEvents = 100_000

// AppendEvents stores events, which carry their IDs.
func (s *Store) AppendEvents(events []muster.Event) error {
	if len(events) == 0 {
		return nil
	}
	tx, err := s.quick.Begin()
	if err != nil {
		return explain(s.path, err)
	}
	defer tx.Rollback()
	for _, e := range events {
		data, err := json.Marshal(e)
		if err != nil {
			return err
		}
		_, err = tx.Stmt(s.putEvent).Exec(
			e.ID, e.At.UnixNano(), e.App, e.Type, e.Slot, string(data))
		if err != nil {
			return explain(s.path, err)
		}
	}
	if last := events[len(events)-1].ID; last%1000 < int64(len(events)) {
		if _, err := tx.Exec("DELETE FROM events WHERE id <= ?", last-keepEvents); err != nil {
			return explain(s.path, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return explain(s.path, err)
	}
	return nil
}

// An EventQuery selects events; zero fields select all.
type EventQuery struct {
	After int64 // only events with a greater ID
	Since time.Time
	App   string
	Type  string
	Slot  int
	Last  int // only the newest so many; 0 means all
	Limit int // at most so many, the oldest first; 0 means all
}

// Events returns events, oldest first.
func (s *Store) Events(q EventQuery) (events []muster.Event, err error) {
	where, args := q.where()
	query := "SELECT data FROM events" + where + " ORDER BY id"
	switch {
	case q.Last > 0:
		query = "SELECT data FROM (SELECT id, data FROM events" + where + " ORDER BY id DESC LIMIT ?) ORDER BY id"
		args = append(args, q.Last)
	case q.Limit > 0:
		query += " LIMIT ?"
		args = append(args, q.Limit)
	}
	err = s.rows(query, func(rows *sql.Rows) error {
		var data string
		if err := rows.Scan(&data); err != nil {
			return err
		}
		var e muster.Event
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			return err
		}
		events = append(events, e)
		return nil
	}, args...)
	return events, err
}

func (q EventQuery) where() (string, []any) {
	var terms []string
	var args []any
	add := func(term string, arg any) {
		terms, args = append(terms, term), append(args, arg)
	}
	if q.After > 0 {
		add("id > ?", q.After)
	}
	if !q.Since.IsZero() {
		add("at >= ?", q.Since.UnixNano())
	}
	if q.App != "" {
		add("app = ?", q.App)
	}
	if q.Type != "" {
		add("type = ?", q.Type)
	}
	if q.Slot > 0 {
		add("slot = ?", q.Slot)
	}
	if len(terms) == 0 {
		return "", nil
	}
	return " WHERE " + strings.Join(terms, " AND "), args
}

// LastEventID is the ID of the newest event, 0 when there is none.
func (s *Store) LastEventID() (id int64, err error) {
	err = s.quick.QueryRow("SELECT COALESCE(MAX(id), 0) FROM events").Scan(&id)
	return id, err
}
