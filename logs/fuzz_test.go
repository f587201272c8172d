package logs_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"muster"
	"muster/logs"
)

// FuzzRead gives a slot two segments of anything. Reading must not fail, must
// give the same lines compressed or not, and the last ones must be the last of
// all.
func FuzzRead(f *testing.F) {
	record := func(stream muster.Stream, partial bool, text string) []byte {
		return muster.Line{At: epoch, Stream: stream, Partial: partial, Text: []byte(text)}.Append(nil)
	}
	full := record(muster.Stdout, false, "hello")
	piece := record(muster.Stderr, true, "pie")
	f.Add(full, piece, uint8(1))
	f.Add(piece, full, uint8(2))
	f.Add(bytes.Repeat(full, 20), append(piece, record(muster.Stderr, false, "ce")...), uint8(200))
	f.Add(full[:20], []byte("\n\n\x00\n"), uint8(3))
	f.Fuzz(func(t *testing.T, first, second []byte, last uint8) {
		store := logs.Open(t.TempDir())
		dir := store.Dir(web1)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for i, data := range [][]byte{first, second, nil} {
			name := muster.Segment{Seq: int64(i + 1), FirstLine: 1}.Name()
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		all := read(t, store, logs.Query{Last: -1})
		got := read(t, store, logs.Query{Last: int(last)})
		want := min(int(last), len(all))
		if len(got) > want || len(got) < want && !slices.ContainsFunc(all, isPiece) {
			t.Errorf("%d of the last %d lines, of %d in all", len(got), last, len(all))
		}
		compress(t, store, web1)
		expect(t, read(t, store, logs.Query{Last: -1}), all...)
	})
}

// isPiece tells of lines that are shown unfinished. Of those, one that stands
// far before the end of the log is not counted among its last.
func isPiece(shown string) bool { return strings.HasSuffix(shown, "...") }

// FuzzPacked gives a slot a compressed segment of anything.
func FuzzPacked(f *testing.F) {
	store := logs.Open(f.TempDir())
	w := newSlotLog(f, store, web1)
	w.write(numbered(1, 100)...)
	w.rotate()
	if err := store.Compress(context.Background(), web1); err != nil {
		f.Fatal(err)
	}
	name := muster.Segment{Seq: 1, FirstLine: 1, Compressed: true}.Name()
	data, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:len(data)-1])
	f.Add(data[1:])
	f.Fuzz(func(t *testing.T, data []byte) {
		store := logs.Open(t.TempDir())
		dir := store.Dir(web1)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
		read(t, store, logs.Query{Last: -1})
		read(t, store, logs.Query{Last: 10})
	})
}
