package dev

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster"
)

func newPrinter(out *bytes.Buffer) *printer {
	return &printer{width: 6, out: out, lost: func(error) {}}
}

func (s *source) say(text string, partial bool) {
	s.Write(muster.Stdout, time.Time{}, []byte(text), partial)
}

func TestPrinterCutsLines(t *testing.T) {
	cases := []struct {
		name, want string
		does       func(a, b *source)
	}{
		{"lines", "a.1    | x\na.1    | y\nb.1    | z\n", func(a, b *source) { a.say("x\ny\n", false); b.say("z\n", false) }},
		{"empty line", "a.1    | \n", func(a, _ *source) { a.say("\n", false) }},
		{"prompt answered", "a.1    | name? ada\n", func(a, _ *source) { a.say("name? ", true); a.say("ada\n", false) }},
		{"prompt in three", "a.1    | abc\n", func(a, _ *source) { a.say("a", true); a.say("b", true); a.say("c\n", false) }},
		{"interrupted prompt", "a.1    | name? \nb.1    | x\na.1    | ada\n", func(a, b *source) {
			a.say("name? ", true)
			b.say("x\n", false)
			a.say("ada\n", false)
		}},
		{"two prompts", "a.1    | 1\nb.1    | 2", func(a, b *source) { a.say("1", true); b.say("2", true) }},
		{"invalid UTF-8", "a.1    | \xff\xfe\n", func(a, _ *source) { a.say("\xff\xfe\n", false) }},
		{"colours pass", "a.1    | \x1b[31mred\n", func(a, _ *source) { a.say("\x1b[31mred\n", false) }},
		{"carriage return", "a.1    | x\r\n", func(a, _ *source) { a.say("x\r\n", false) }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			p := newPrinter(&out)
			c.does(p.source("a.1", 0), p.source("b.1", 1))
			if diff := cmp.Diff(c.want, out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestALineOfAnyLengthStaysWhole(t *testing.T) {
	var out bytes.Buffer
	p := newPrinter(&out)
	a, b := p.source("a.1", 0), p.source("b.1", 1)
	piece := strings.Repeat("x", maxHeld)
	for range 50 {
		a.say(piece, true)
		b.say("between\n", false)
	}
	a.say("end\n", false)
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 51 || lines[50] != "a.1    | "+strings.Repeat(piece, 50)+"end" {
		t.Errorf("%d lines, the last of %d bytes", len(lines), len(lines[len(lines)-1]))
	}
}

// stdout and stderr of one process are two voices with one name.
func TestStreamsDoNotMixWithinALine(t *testing.T) {
	var out bytes.Buffer
	a := newPrinter(&out).source("a.1", 0)
	a.Write(muster.Stdout, time.Time{}, []byte("out"), true)
	a.Write(muster.Stderr, time.Time{}, []byte("err\n"), false)
	a.Write(muster.Stdout, time.Time{}, []byte("put\n"), false)
	if diff := cmp.Diff("a.1    | out\na.1    | err\na.1    | put\n", out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestColours(t *testing.T) {
	var out bytes.Buffer
	p := newPrinter(&out)
	p.color = true
	p.source("a.1", 0).say("\x1b[31mred\n", false)
	p.source("b.1", 1).say("\x1b[1mx\x1b[0m\n", false)
	want := "\x1b[36ma.1    | \x1b[0m\x1b[31mred\x1b[0m\n\x1b[33mb.1    | \x1b[0m\x1b[1mx\x1b[0m\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	for i := range 3 * len(palette) {
		p.source("z", i) // more types than colours
	}
}

func TestInterleavedWritersKeepTheirLines(t *testing.T) {
	var out bytes.Buffer
	p := newPrinter(&out)
	var writers sync.WaitGroup
	for w := range 8 {
		s := p.source(fmt.Sprintf("w.%d", w), w)
		writers.Go(func() {
			for i := range 500 {
				s.say(fmt.Sprintf("line %d\n", i), false)
			}
		})
	}
	writers.Wait()
	next := map[string]int{}
	for _, line := range strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n") {
		who, what, _ := strings.Cut(line, " ")
		if want := fmt.Sprintf("| line %d", next[who]); strings.TrimLeft(what, " ") != want {
			t.Fatalf("%q, want %q", line, want)
		}
		next[who]++
	}
}

type deadWriter struct{ writes int }

func (d *deadWriter) Write([]byte) (int, error) { d.writes++; return 0, errors.New("nobody reads") }

func TestADeadWriterIsToldOnce(t *testing.T) {
	dead, told := &deadWriter{}, 0
	p := &printer{width: 6, out: dead, lost: func(error) { told++ }}
	s := p.source("a.1", 0)
	for range 10 {
		s.say("x\n", false)
	}
	if told != 1 || dead.writes != 1 {
		t.Errorf("told %d times, written %d times", told, dead.writes)
	}
}
