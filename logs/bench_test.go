package logs_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"muster"
	"muster/logs"
)

const (
	benchSegments = 26
	benchSegment  = 10 << 20 // bytes, the default of a segment
)

// large writes 260 MB of log, all but the newest segment compressed if asked.
func large(b *testing.B, compressed bool) *logs.Store {
	store := logs.Open(b.TempDir())
	dir := store.Dir(web1)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		b.Fatal(err)
	}
	line, at := int64(1), epoch
	var record []byte
	for seq := range int64(benchSegments) {
		file, err := os.Create(filepath.Join(dir, muster.Segment{Seq: seq + 1, FirstLine: line}.Name()))
		if err != nil {
			b.Fatal(err)
		}
		w := bufio.NewWriter(file)
		for size := 0; size < benchSegment; size += len(record) {
			text := fmt.Appendf(nil, "at=info method=GET path=/items/%d status=200 service=%dms", line*7919%10007, line*31%97)
			record = muster.Line{At: at, Stream: muster.Stdout, Text: text}.Append(record[:0])
			w.Write(record)
			at = at.Add(time.Millisecond)
			line++
		}
		if err := w.Flush(); err != nil {
			b.Fatal(err)
		}
		file.Close()
	}
	if compressed {
		if err := store.Compress(context.Background(), web1); err != nil {
			b.Fatal(err)
		}
	}
	return store
}

func BenchmarkRead(b *testing.B) {
	for _, compressed := range []bool{false, true} {
		store := large(b, compressed)
		last := epoch.Add(24 * time.Hour)
		for _, q := range []struct {
			name string
			logs.Query
		}{
			{"n=100", logs.Query{Last: 100}},
			{"n=200000", logs.Query{Last: 200_000}},
			{"n=100,grep=rare", logs.Query{Last: 100, Grep: regexp.MustCompile(`path=/items/77 .*=5ms`)}},
			{"since", logs.Query{Last: -1, Since: epoch.Add(2400 * time.Second), Until: last}},
			{"all", logs.Query{Last: -1}},
		} {
			b.Run(fmt.Sprintf("compressed=%v/%s", compressed, q.name), func(b *testing.B) {
				b.ReportAllocs()
				n := 0
				for b.Loop() {
					n = 0
					err := store.Read(context.Background(), q.Query, func(logs.Entry) error { n++; return nil })
					if err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(n), "lines")
			})
		}
	}
}
