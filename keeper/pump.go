package keeper

import (
	"bytes"
	"errors"
	"os"
	"sync"
	"syscall"
	"time"

	"muster"
)

// partialAfter is how long an unfinished line waits for its end before it is
// passed on as a piece: long enough for a line written in two writes, short
// enough for a prompt.
const partialAfter = 100 * time.Millisecond

// pumpBuffer is what one read may take. Buffers belong to a pump only while it
// moves data, so ten thousand quiet processes hold none.
const pumpBuffer = 256 << 10

var pumpBuffers = sync.Pool{New: func() any { b := make([]byte, pumpBuffer); return &b }}

// A pump moves one pipe's bytes to a sink, cut into lines.
type pump struct {
	gate   *sync.RWMutex // see Keeper.gate
	stream muster.Stream
	sink   Sink
	source *os.File

	// mu guards what follows, and the order of reads and writes.
	mu     sync.Mutex
	fd     int    // of source; -1 once closed
	tail   []byte // the beginning of a line, not yet passed on
	opened bool   // a piece of the current line was passed on already
}

func newPump(gate *sync.RWMutex, source *os.File, stream muster.Stream, sink Sink) *pump {
	p := &pump{gate: gate, source: source, stream: stream, sink: sink, fd: -1}
	if conn, err := source.SyscallConn(); err == nil {
		conn.Control(func(fd uintptr) { p.fd = int(fd) })
	}
	return p
}

// run moves data until the pipe's last writer is gone or the pump is closed.
func (p *pump) run() {
	conn, err := p.source.SyscallConn()
	if err != nil {
		return
	}
	for {
		p.source.SetReadDeadline(p.deadline())
		ended := false
		err := conn.Read(func(uintptr) (done bool) {
			n := p.move()
			ended = n == 0
			return n >= 0
		})
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			p.passPiece()
		case err != nil || ended:
			p.flush()
			return
		}
	}
}

// deadline is when the unfinished line, if there is one, has waited enough.
func (p *pump) deadline() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.tail) == 0 {
		return time.Time{}
	}
	return time.Now().Add(partialAfter)
}

// move does one read and passes on what it completes. It returns the bytes
// read, 0 at the end of the pipe, -1 when there is nothing to read now.
func (p *pump) move() int {
	p.gate.RLock()
	defer p.gate.RUnlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fd < 0 {
		return 0
	}
	buffer := pumpBuffers.Get().(*[]byte)
	defer pumpBuffers.Put(buffer)
	held := copy(*buffer, p.tail)
	n, err := readRetry(p.fd, (*buffer)[held:])
	if err == syscall.EAGAIN {
		return -1
	}
	if err != nil || n == 0 {
		return 0
	}
	p.take((*buffer)[:held+n], held)
	return n
}

func readRetry(fd int, buffer []byte) (int, error) {
	for {
		n, err := syscall.Read(fd, buffer)
		if err != syscall.EINTR {
			return n, err
		}
	}
}

// take passes on the whole lines of data and keeps the rest. The first held
// bytes are known to contain no newline.
func (p *pump) take(data []byte, held int) {
	now := time.Now()
	if end := bytes.LastIndexByte(data[held:], '\n'); end >= 0 {
		end += held + 1
		p.sink.Write(p.stream, now, data[:end], false)
		data = data[end:]
		p.opened = false
	}
	if len(data) >= min(p.sink.MaxLine(), pumpBuffer/2) {
		p.sink.Write(p.stream, now, data, true)
		data = nil
		p.opened = true
	}
	p.hold(data)
}

// hold keeps the unfinished line, and gives back a large buffer once it is not
// needed.
func (p *pump) hold(data []byte) {
	if len(data) == 0 && cap(p.tail) > 4<<10 {
		p.tail = nil
		return
	}
	p.tail = append(p.tail[:0], data...)
}

// passPiece passes the unfinished line on as it is.
func (p *pump) passPiece() {
	p.gate.RLock()
	defer p.gate.RUnlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.tail) > 0 {
		p.sink.Write(p.stream, time.Now(), p.tail, true)
		p.hold(nil)
		p.opened = true
	}
}

// flush ends the unfinished line, as its writer no longer will.
func (p *pump) flush() {
	p.gate.RLock()
	defer p.gate.RUnlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.tail) > 0 || p.opened {
		p.sink.Write(p.stream, time.Now(), append(p.tail, '\n'), false)
		p.hold(nil)
		p.opened = false
	}
}

// drainReads bounds a drain at many times what a pipe holds: somebody who never
// stops writing must not hold up the news of an end.
const drainReads = 64

// drain moves everything that is in the pipe now.
func (p *pump) drain() {
	for range drainReads {
		if p.move() <= 0 {
			break
		}
	}
	p.flush()
}

// close drains and ends the pump, even if somebody still holds the other end.
func (p *pump) close() {
	p.drain()
	p.mu.Lock()
	p.fd = -1
	p.mu.Unlock()
	p.source.Close()
}
