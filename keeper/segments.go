package keeper

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"sync"
	"time"

	"muster"
)

// A segmentLog appends one slot's lines to its directory of segments. The
// directory and the first segment are made with the first line, so a silent
// process costs no file.
//
// A full disk or a removed directory never stops a process: lines are dropped
// and counted, and the count is the first record once writing works again.
type segmentLog struct {
	mu    sync.Mutex // guards everything below
	spec  LogSpec
	users int // children whose output goes here; guarded by Keeper.mu

	file    *os.File
	segment muster.Segment
	size    int64
	opened  time.Time
	lines   int64 // whole lines written to the slot's log so far
	lost    int64
	reason  error  // of the loss
	out     []byte // records not yet written; only during Write
}

// recordBuffers hold records on their way to disk. A log has one only while it
// writes.
var recordBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 2*pumpBuffer); return &b }}

// maxHeldLine is how much of an unfinished line stays in memory: longer lines
// are written as pieces of this size.
const maxHeldLine = 64 << 10

// MaxLine implements Sink.
func (l *segmentLog) MaxLine() int { return maxHeldLine }

// Write implements Sink.
func (l *segmentLog) Write(stream muster.Stream, at time.Time, data []byte, partial bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	buffer := recordBuffers.Get().(*[]byte)
	l.out = (*buffer)[:0]
	l.write(muster.AppendLinePrefix(nil, at, stream, partial), data, partial)
	if cap(l.out) <= 4*pumpBuffer {
		*buffer = l.out[:0]
		recordBuffers.Put(buffer)
	}
	l.out = nil
}

// write turns data into records, each with the prefix, in as few writes as the
// segment size allows.
func (l *segmentLog) write(prefix, data []byte, partial bool) {
	pending := int64(0)
	for len(data) > 0 {
		line, rest := cutLine(data)
		need := int64(len(prefix) + len(line) + 1)
		if have := l.size + int64(len(l.out)); l.file != nil && have > 0 && have+need > l.spec.SegmentBytes {
			l.commit(pending)
			pending = 0
			l.closeSegment()
		}
		l.out = append(l.out, prefix...)
		l.out = append(l.out, line...)
		l.out = append(l.out, '\n')
		if !partial {
			pending++
		}
		if l.file == nil && !l.openSegment(pending) {
			l.out, pending = l.out[:0], 0
		}
		data = rest
	}
	l.commit(pending)
}

func cutLine(data []byte) (line, rest []byte) {
	end := bytes.IndexByte(data, '\n')
	if end < 0 {
		return data, nil
	}
	return data[:end], data[end+1:]
}

// commit writes what is collected. A record is never left torn: what a full
// disk cut off is taken back.
func (l *segmentLog) commit(lines int64) {
	if len(l.out) == 0 {
		return
	}
	if l.lost > 0 && !l.confess() {
		l.lost += lines
		l.out = l.out[:0]
		return
	}
	if l.append(l.out) {
		l.lines += lines
	} else {
		l.lost += lines
	}
	l.out = l.out[:0]
	if time.Since(l.opened) > l.spec.SegmentAge && l.spec.SegmentAge > 0 {
		l.closeSegment()
	}
}

func (l *segmentLog) append(data []byte) bool {
	n, err := l.file.WriteAt(data, l.size)
	if err != nil {
		l.reason = rootCause(err)
		if n > 0 {
			_ = l.file.Truncate(l.size)
		}
		return false
	}
	l.size += int64(n)
	return true
}

// confess records how many lines were lost, where they are missing.
func (l *segmentLog) confess() bool {
	text := fmt.Sprintf("muster: %d lines lost here: %v", l.lost, l.reason)
	record := muster.Line{At: time.Now(), Stream: muster.Stderr, Text: []byte(text)}.Append(nil)
	if !l.append(record) {
		return false
	}
	l.lost = 0
	l.lines++
	return true
}

// openSegment starts a new segment, after making room for it. On failure the
// pending lines count as lost.
func (l *segmentLog) openSegment(pending int64) bool {
	err := os.MkdirAll(l.spec.Dir, 0o700)
	if err == nil && l.segment.Seq == 0 {
		err = l.resume()
	}
	if err == nil {
		l.makeRoom()
		next := muster.Segment{Seq: l.segment.Seq + 1, FirstLine: l.lines + 1}
		flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
		l.file, err = os.OpenFile(filepath.Join(l.spec.Dir, next.Name()), flags, 0o600)
		if err == nil {
			l.segment, l.size, l.opened = next, 0, time.Now()
			return true
		}
	}
	l.reason, l.file = rootCause(err), nil
	l.lost += pending
	return false
}

func (l *segmentLog) closeSegment() {
	if l.file != nil {
		l.file.Close()
		l.file = nil
	}
}

// resume continues the numbers of an earlier keeper. It never appends to an
// earlier keeper's segment, whose last record may be torn.
func (l *segmentLog) resume() error {
	segments, err := listSegments(l.spec.Dir)
	if err != nil || len(segments) == 0 {
		return err
	}
	last := segments[len(segments)-1]
	l.segment = last.Segment
	l.lines = last.FirstLine - 1
	if last.Compressed {
		return nil // only the newest is counted, and that one never is compressed
	}
	data, err := os.ReadFile(filepath.Join(l.spec.Dir, last.Name()))
	l.lines += countLines(data)
	return err
}

func countLines(data []byte) (n int64) {
	for len(data) > 0 {
		var record []byte
		record, data = cutLine(data)
		if line, ok := muster.ParseLine(record); ok && !line.Partial {
			n++
		}
	}
	return n
}

// makeRoom removes the oldest segments until another full one fits the budget.
func (l *segmentLog) makeRoom() {
	if l.spec.MaxBytes <= 0 {
		return
	}
	segments, _ := listSegments(l.spec.Dir)
	total := l.spec.SegmentBytes
	for _, s := range segments {
		total += s.size
	}
	for _, s := range segments {
		if total <= l.spec.MaxBytes {
			return
		}
		if os.Remove(filepath.Join(l.spec.Dir, s.Name())) == nil {
			total -= s.size
		}
	}
}

type sizedSegment struct {
	muster.Segment
	size int64
}

// listSegments returns a directory's segments, oldest first.
func listSegments(dir string) ([]sizedSegment, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var segments []sizedSegment
	for _, e := range entries {
		s, ok := muster.ParseSegmentName(e.Name())
		if info, err := e.Info(); ok && err == nil {
			segments = append(segments, sizedSegment{s, info.Size()})
		}
	}
	sort.Slice(segments, func(i, j int) bool { return segments[i].Seq < segments[j].Seq })
	return segments, nil
}

func (l *segmentLog) tune(spec LogSpec) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spec = spec
	if l.file != nil {
		l.makeRoom()
	}
}

// acquireLog returns the log of a directory. Two processes of one slot, an old
// one ending and its successor, share it. The caller holds k.mu.
func (k *Keeper) acquireLog(spec LogSpec) *segmentLog {
	l := k.logs[spec.Dir]
	if l == nil {
		l = &segmentLog{spec: spec}
		k.logs[spec.Dir] = l
	} else {
		l.tune(spec)
	}
	l.users++
	return l
}

func (k *Keeper) releaseLog(dir string) {
	k.mu.Lock()
	l := k.logs[dir]
	if l == nil {
		k.mu.Unlock()
		return
	}
	if l.users--; l.users == 0 {
		delete(k.logs, dir)
	}
	unused := l.users == 0
	k.mu.Unlock()
	if unused {
		l.mu.Lock()
		l.closeSegment()
		l.mu.Unlock()
	}
}
