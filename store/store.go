// Package store keeps what must outlive the daemon, in one SQLite file: what
// apps should be, what slots were last seen doing, and the journal of events.
// It is the only package that knows SQLite; values come and go as JSON.
//
// Orders are written with a full sync: once a command has been answered, a
// power cut does not undo it. Slots and events change far more often and are
// written without a sync: they survive the death of every process of ours, and
// a power cut can cost the last moments of them but never the file's
// soundness.
package store

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver

	"muster"
)

// A Store is an open database. Its methods may be called from any goroutine.
type Store struct {
	path    string
	durable *sql.DB // synchronous=FULL
	quick   *sql.DB // synchronous=NORMAL: no sync a commit in WAL mode
	// Statements of what is written all the time, parsed once.
	putEvent, putSlot, dropSlot *sql.Stmt
}

const schema = `
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS apps (name TEXT PRIMARY KEY, data TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS slots (key TEXT PRIMARY KEY, app TEXT NOT NULL, data TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, app TEXT NOT NULL, type TEXT NOT NULL, slot INTEGER NOT NULL, data TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS events_at ON events (at);
`

// schemaVersion grows when an older Muster could not use the file.
const schemaVersion = 1

// Open opens or makes the database in a directory. A damaged file is refused
// with the way out, and left as it is.
func Open(dir string) (*Store, error) {
	path := filepath.Join(dir, "muster.db")
	// SQLite would create it readable to all; it holds config vars.
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, muster.Errorf(muster.CodeFailed, "making the directory writable, or another MUSTER_HOME", "open %s: %w", path, pathCause(err))
	}
	file.Close()
	s := &Store{path: path}
	s.durable, err = connect(path, "FULL")
	if err == nil {
		s.quick, err = connect(path, "NORMAL")
	}
	if err == nil {
		err = s.check()
	}
	if err == nil {
		err = s.prepare()
	}
	if err != nil {
		s.Close()
		return nil, explain(path, err)
	}
	return s, nil
}

func connect(path, synchronous string) (*sql.DB, error) {
	dsn := "file:" + strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path) +
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(" + synchronous + ")&_pragma=cache_size(-512)&_txlock=immediate"
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

func (s *Store) check() error {
	var verdict string
	if err := s.durable.QueryRow("PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("%w: %s", errDamaged, verdict)
	}
	var version int
	if err := s.durable.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version > schemaVersion {
		return muster.Errorf(muster.CodeFailed, "that newer Muster, or another MUSTER_HOME",
			"%s was written by a newer Muster (schema %d, this one knows %d)", s.path, version, schemaVersion)
	}
	if _, err := s.durable.Exec(schema); err != nil {
		return err
	}
	_, err := s.durable.Exec(fmt.Sprintf("PRAGMA user_version = %d", schemaVersion))
	return err
}

func (s *Store) prepare() error {
	for _, p := range []struct {
		statement **sql.Stmt
		query     string
	}{
		{&s.putEvent, "INSERT OR REPLACE INTO events (id, at, app, type, slot, data) VALUES (?, ?, ?, ?, ?, ?)"},
		{&s.putSlot, "INSERT INTO slots (key, app, data) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET data = excluded.data"},
		{&s.dropSlot, "DELETE FROM slots WHERE key = ?"},
	} {
		var err error
		if *p.statement, err = s.quick.Prepare(p.query); err != nil {
			return err
		}
	}
	return nil
}

var errDamaged = errors.New("database is damaged")

// explain adds what a person can do.
func explain(path string, err error) error {
	var explained *muster.Error
	if errors.As(err, &explained) {
		return err
	}
	text := err.Error()
	switch {
	case errors.Is(err, errDamaged), strings.Contains(text, "malformed"), strings.Contains(text, "not a database"):
		return muster.Errorf(muster.CodeFailed,
			fmt.Sprintf("restoring a copy, or: mv %s %s.damaged && rm -f %s-wal %s-shm, then start your apps again", path, path, path, path),
			"%s is damaged: %w", path, err)
	case strings.Contains(text, "disk is full"), strings.Contains(text, "disk I/O error"):
		return muster.Errorf(muster.CodeFailed, "freeing space on its disk", "write %s: %w", path, err)
	case strings.Contains(text, "readonly"):
		return muster.Errorf(muster.CodeFailed, "making it writable, or another MUSTER_HOME", "write %s: %w", path, err)
	}
	return muster.Errorf(muster.CodeFailed, "", "%s: %w", path, err)
}

func pathCause(err error) error {
	var pathErr *os.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

// Close closes the database. A Store that could not be opened may be closed.
func (s *Store) Close() error {
	var errs []error
	for _, db := range []*sql.DB{s.quick, s.durable} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// exec runs one statement and explains its failure.
func (s *Store) exec(db *sql.DB, query string, args ...any) error {
	if _, err := db.Exec(query, args...); err != nil {
		return explain(s.path, err)
	}
	return nil
}
