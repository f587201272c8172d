package e2e

import (
	"bufio"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// writerBytes bounds what one writer writes, whatever the machine: together
// with the test's budget of log segments nothing is ever rotated away.
const writerBytes = 48 << 20

// beWriter writes numbered lines with checksums to both streams in bursts, and
// the same bytes to two files, until the file "stop" appears beside them. Then
// it makes "done.PID", so that a second life would show, and waits to be ended.
func beWriter(args []string) {
	dir, seed := args[0], uint64(len(args[1]))
	for _, c := range []byte(args[1]) {
		seed = seed*31 + uint64(c)
	}
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	w := &writer{random: rand.New(rand.NewPCG(seed, 1)), dir: filepath.Join(dir, args[1])}
	if err := os.MkdirAll(w.dir, 0o755); err != nil {
		panic(err)
	}
	w.open()
	for w.written < writerBytes && !w.told(dir, "stop") {
		w.burst()
		time.Sleep(time.Duration(w.random.IntN(60)) * time.Millisecond)
	}
	w.finish()
	<-term
}

type writer struct {
	random  *rand.Rand
	dir     string
	streams [2]writerStream
	written int
}

type writerStream struct {
	name string
	pipe *os.File
	copy *bufio.Writer
	file *os.File
	n    int
}

func (w *writer) open() {
	for i, name := range []string{"out", "err"} {
		// A second life would append and so spoil the comparison.
		file, err := os.OpenFile(filepath.Join(w.dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			panic(err)
		}
		pipe := []*os.File{os.Stdout, os.Stderr}[i]
		w.streams[i] = writerStream{name: name, pipe: pipe, copy: bufio.NewWriter(file), file: file}
	}
}

func (w *writer) told(dir, what string) bool {
	_, err := os.Stat(filepath.Join(dir, what))
	return err == nil
}

// burst writes up to a quarter of a megabyte as fast as the pipes take it.
func (w *writer) burst() {
	for n := w.random.IntN(256 << 10); n > 0; {
		s := &w.streams[w.random.IntN(8)/7] // mostly stdout
		line := w.line(s)
		s.write(line, w.random)
		n -= len(line)
		w.written += len(line)
	}
}

// line makes the next line of a stream: mostly short, some long, a few longer
// than anything the pump holds in memory.
func (w *writer) line(s *writerStream) []byte {
	s.n++
	length := w.random.IntN(200)
	switch w.random.IntN(1000) {
	case 0:
		length = 100<<10 + w.random.IntN(200<<10)
	case 1, 2, 3, 4, 5:
		length = w.random.IntN(20 << 10)
	case 6:
		length = 0
	}
	line := fmt.Appendf(nil, "%s %08d ", s.name, s.n)
	for range length {
		c := byte(w.random.Uint32())
		if c == '\n' {
			c = '\r'
		}
		line = append(line, c)
	}
	return fmt.Appendf(line, " %08x\n", crc32.ChecksumIEEE(line))
}

// write gives the line to the pipe in one piece or, now and then, in two.
func (s *writerStream) write(line []byte, random *rand.Rand) {
	if _, err := s.copy.Write(line); err != nil {
		panic(err)
	}
	if random.IntN(50) == 0 {
		cut := random.IntN(len(line))
		s.put(line[:cut])
		line = line[cut:]
	}
	s.put(line)
}

func (s *writerStream) put(data []byte) {
	if _, err := s.pipe.Write(data); err != nil {
		panic(err)
	}
}

func (w *writer) finish() {
	for _, s := range w.streams {
		if err := s.copy.Flush(); err != nil {
			panic(err)
		}
	}
	if err := os.WriteFile(filepath.Join(w.dir, "done."+strconv.Itoa(os.Getpid())), nil, 0o644); err != nil {
		panic(err)
	}
}
