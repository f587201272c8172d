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
	// open are the streams whose last record on disk is a piece of a line;
	// headless those whose present line has lost its beginning.
	open, headless perStream
}

// A perStream is a fact about each stream.
type perStream [2]bool

var streams = [2]muster.Stream{muster.Stdout, muster.Stderr}

func indexOf(stream muster.Stream) int {
	if stream == muster.Stdout {
		return 0
	}
	return 1
}

// recordBuffers hold records on their way to disk. A log has one only while it
// writes.
var recordBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 2*pumpBuffer); return &b }}

// maxHeldLine is how much of an unfinished line stays in memory: longer lines
// are written as pieces of this size.
const maxHeldLine = 64 << 10

// MaxLine implements Sink.
func (l *segmentLog) MaxLine() int { return maxHeldLine }

// minSegmentBytes keeps a segment larger than any record's fields.
const minSegmentBytes = 512

// Write implements Sink.
func (l *segmentLog) Write(stream muster.Stream, at time.Time, data []byte, partial bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if data = l.dropHeadless(stream, data, partial); len(data) == 0 {
		return
	}
	buffer := recordBuffers.Get().(*[]byte)
	l.out = (*buffer)[:0]
	b := batch{
		log: l, stream: stream, partial: partial,
		prefix: muster.AppendLinePrefix(nil, at, stream, partial),
		piece:  muster.AppendLinePrefix(nil, at, stream, true),
	}
	b.write(data)
	if cap(l.out) <= 4*pumpBuffer {
		*buffer = l.out[:0]
		recordBuffers.Put(buffer)
	}
	l.out = nil
}

// dropHeadless leaves out the rest of a line whose beginning was lost: what is
// in the log was written like that by the process.
func (l *segmentLog) dropHeadless(stream muster.Stream, data []byte, partial bool) []byte {
	if !l.headless[indexOf(stream)] {
		return data
	}
	if partial {
		return nil
	}
	l.headless[indexOf(stream)] = false
	l.lost++
	_, rest := cutLine(data)
	if len(rest) == 0 && l.file != nil {
		l.confess() // else the next record does
	}
	return rest
}

// A batch is what one Write brings: whole lines, or one piece of a line.
type batch struct {
	log           *segmentLog
	stream        muster.Stream
	partial       bool
	prefix, piece []byte // fields before a line's text, and before a piece's
	lines         int64  // whole ones collected and not yet written
}

// write turns data into records, in as few writes as the segment size allows.
func (b *batch) write(data []byte) {
	limit := int(b.log.segmentBytes()) - len(b.prefix) - 1
	for len(data) > 0 {
		line, rest := cutLine(data)
		for len(line) > limit { // a record never exceeds a segment
			b.record(b.piece, line[:limit], false)
			line = line[limit:]
		}
		b.record(b.prefix, line, !b.partial)
		data = rest
	}
	b.commit()
}

// record collects one record, after making sure that there is a segment with
// room for it.
func (b *batch) record(prefix, text []byte, whole bool) {
	l := b.log
	need := int64(len(prefix) + len(text) + 1)
	if have := l.size + int64(len(l.out)); l.file != nil && have > 0 && have+need > l.segmentBytes() {
		b.commit()
		l.closeSegment()
	}
	if whole {
		b.lines++
	}
	if l.file == nil && !l.openSegment() {
		b.lose()
		return
	}
	l.out = append(append(append(l.out, prefix...), text...), '\n')
}

// commit writes what is collected. A record is never left torn: what a full
// disk cut off is taken back.
func (b *batch) commit() {
	l := b.log
	if len(l.out) == 0 {
		return
	}
	if l.lost > 0 && !l.confess() || !l.append(l.out) {
		b.lose()
		return
	}
	l.lines += b.lines
	l.open[indexOf(b.stream)] = b.partial
	l.out, b.lines = l.out[:0], 0
	if time.Since(l.opened) > l.spec.SegmentAge && l.spec.SegmentAge > 0 {
		l.closeSegment()
	}
}

// lose gives up what is collected.
func (b *batch) lose() {
	l := b.log
	l.lost += b.lines
	l.headless[indexOf(b.stream)] = l.headless[indexOf(b.stream)] || b.partial
	l.out, b.lines = l.out[:0], 0
}

func cutLine(data []byte) (line, rest []byte) {
	end := bytes.IndexByte(data, '\n')
	if end < 0 {
		return data, nil
	}
	return data[:end], data[end+1:]
}

func (l *segmentLog) segmentBytes() int64 { return max(l.spec.SegmentBytes, minSegmentBytes) }

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

// confess records how many lines were lost, where they are missing, and ends
// lines whose end is among them.
func (l *segmentLog) confess() bool {
	var records []byte
	n := int64(1)
	for i, open := range l.open {
		if open {
			records = muster.Line{At: time.Now(), Stream: streams[i]}.Append(records)
			n++
		}
	}
	text := fmt.Sprintf("muster: %d lines lost here: %v", l.lost, l.reason)
	records = muster.Line{At: time.Now(), Stream: muster.Stderr, Text: []byte(text)}.Append(records)
	if !l.append(records) {
		return false
	}
	l.open = perStream{}
	l.lost = 0
	l.lines += n
	return true
}

// openSegment starts a new segment, after making room for it.
func (l *segmentLog) openSegment() bool {
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
	total := l.segmentBytes()
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
