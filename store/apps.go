package store

import (
	"database/sql"
	"encoding/json"
	"errors"
)

// PutApp stores an app's order, durably.
func (s *Store) PutApp(name string, order any) error {
	data, err := json.Marshal(order)
	if err != nil {
		return err
	}
	return s.exec(s.durable, "INSERT INTO apps (name, data) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET data = excluded.data", name, string(data))
}

// DeleteApp forgets an app and its slots, durably.
func (s *Store) DeleteApp(name string) error {
	if err := s.exec(s.durable, "DELETE FROM slots WHERE app = ?", name); err != nil {
		return err
	}
	return s.exec(s.durable, "DELETE FROM apps WHERE name = ?", name)
}

// Apps calls each with every app's order.
func (s *Store) Apps(each func(name string, order []byte) error) error {
	return s.rows("SELECT name, data FROM apps ORDER BY name", func(rows *sql.Rows) error {
		var name, data string
		if err := rows.Scan(&name, &data); err != nil {
			return err
		}
		return each(name, []byte(data))
	})
}

// PutSlots stores the present of slots; nil data deletes one.
func (s *Store) PutSlots(slots []Slot) error {
	tx, err := s.quick.Begin()
	if err != nil {
		return explain(s.path, err)
	}
	defer tx.Rollback()
	for _, slot := range slots {
		if slot.Data == nil {
			_, err = tx.Stmt(s.dropSlot).Exec(slot.Key)
		} else {
			_, err = tx.Stmt(s.putSlot).Exec(slot.Key, slot.App, string(slot.Data))
		}
		if err != nil {
			return explain(s.path, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return explain(s.path, err)
	}
	return nil
}

// A Slot is what is stored of a slot.
type Slot struct {
	Key, App string
	Data     []byte
}

// Slots calls each with everything PutSlots stored.
func (s *Store) Slots(each func(data []byte) error) error {
	return s.rows("SELECT data FROM slots ORDER BY key", func(rows *sql.Rows) error {
		var data string
		if err := rows.Scan(&data); err != nil {
			return err
		}
		return each([]byte(data))
	})
}

// PutMeta stores a single value.
func (s *Store) PutMeta(key, value string) error {
	return s.exec(s.durable, "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)
}

// Meta returns a single value, "" when there is none.
func (s *Store) Meta(key string) (value string, err error) {
	err = s.durable.QueryRow("SELECT value FROM meta WHERE key = ?", key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return value, err
}

func (s *Store) rows(query string, each func(*sql.Rows) error, args ...any) error {
	rows, err := s.quick.Query(query, args...)
	if err != nil {
		return explain(s.path, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
