package dev

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"time"

	"muster"
)

// palette are foreman's colours, in its order: cyan, yellow, green, magenta,
// blue, and their bright forms. Red is left for what goes wrong.
var palette = []int{36, 33, 32, 35, 34, 96, 93, 92, 95, 94}

// A printer writes everybody's lines to one terminal, each with the name of
// who wrote it.
type printer struct {
	width int // of the longest name
	color bool
	times bool
	lost  func(error) // told once when nobody reads any more

	mu   sync.Mutex // guards what follows, and the order of writes
	out  io.Writer
	dead bool
	open *voice // who wrote a line that has not ended
}

// A voice is one stream of one process.
type voice struct {
	printer *printer
	prefix  string
	long    []byte // the beginning of a very long line, not yet printed
}

// A source is the sink of one process's lines.
type source struct{ voices map[muster.Stream]*voice }

// longPiece tells a piece of a line too long for the pump from one that waited
// for its end: the first is held until the line is whole, the second is shown.
const (
	maxHeld   = 64 << 10
	longPiece = maxHeld
	maxLong   = 256 << 20
)

// MaxLine implements keeper.Sink.
func (s *source) MaxLine() int { return maxHeld }

// Write implements keeper.Sink.
func (s *source) Write(stream muster.Stream, at time.Time, data []byte, partial bool) {
	s.voices[stream].write(at, data, partial)
}

func (p *printer) source(name string, index int) *source {
	prefix := p.prefix(name, palette[index%len(palette)])
	return &source{voices: map[muster.Stream]*voice{
		muster.Stdout: {printer: p, prefix: prefix},
		muster.Stderr: {printer: p, prefix: prefix},
	}}
}

func (p *printer) prefix(name string, color int) string {
	text := fmt.Sprintf("%-*s | ", p.width, name)
	if !p.color {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", color, text)
}

// say prints a line of Muster's own.
func (p *printer) say(message string, bad bool) {
	color := 90
	if bad {
		color = 31
	}
	v := &voice{printer: p, prefix: p.prefix("muster", color)}
	v.write(time.Now(), []byte(message+"\n"), false)
}

func (v *voice) write(at time.Time, data []byte, partial bool) {
	p := v.printer
	p.mu.Lock()
	defer p.mu.Unlock()
	if partial && len(data) >= longPiece && len(v.long) < maxLong {
		v.long = append(v.long, data...)
		return
	}
	if len(v.long) > 0 {
		data = append(v.long, data...)
		v.long = nil
	}
	p.print(v.render(at, data, partial))
}

// render puts prefixes before lines. A line begun earlier is continued where it
// stands, unless somebody else wrote meanwhile.
func (v *voice) render(at time.Time, data []byte, partial bool) []byte {
	p := v.printer
	var out bytes.Buffer
	continued := p.open == v
	if p.open != nil && !continued {
		out.WriteByte('\n')
	}
	p.open = nil
	for len(data) > 0 {
		line, rest, whole := bytes.Cut(data, []byte("\n"))
		if !continued {
			out.WriteString(p.stamp(at))
			out.WriteString(v.prefix)
		}
		continued = false
		out.Write(line)
		if whole {
			out.WriteString(p.reset(line))
			out.WriteByte('\n')
		} else if partial {
			p.open = v
		}
		data = rest
	}
	return out.Bytes()
}

// reset ends a colour that a line left switched on, where there are colours.
func (p *printer) reset(line []byte) string {
	at := bytes.LastIndex(line, []byte("\x1b["))
	if !p.color || at < 0 || bytes.HasPrefix(line[at:], []byte("\x1b[0m")) || bytes.HasPrefix(line[at:], []byte("\x1b[m")) {
		return ""
	}
	return "\x1b[0m"
}

func (p *printer) stamp(at time.Time) string {
	if !p.times {
		return ""
	}
	return at.Format("15:04:05.000 ")
}

// print writes, until nobody reads: then the processes go on unheard.
func (p *printer) print(data []byte) {
	if p.dead {
		return
	}
	if _, err := p.out.Write(data); err != nil {
		p.dead = true
		p.lost(err)
	}
}
