package keeper

import (
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster"
)

// A pumping is a pump on a pipe the test writes to.
type pumping struct {
	t    *testing.T
	in   *os.File
	sink *memory
	done chan struct{}
}

func newPumping(t *testing.T, maxLine int) *pumping {
	t.Helper()
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &pumping{t: t, in: in, sink: &memory{maxLine: maxLine}, done: make(chan struct{})}
	pump := newPump(new(sync.RWMutex), out, muster.Stdout, p.sink)
	go func() { pump.run(); close(p.done) }()
	t.Cleanup(func() { p.end(); out.Close() })
	return p
}

func (p *pumping) write(text string) {
	p.t.Helper()
	if _, err := p.in.WriteString(text); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pumping) end() { p.in.Close(); <-p.done }

// lines puts pieces together, as a reader does.
func (p *pumping) lines() (lines []string) {
	open := ""
	for _, r := range p.sink.all() {
		open += r.data
		if !r.partial {
			lines = append(lines, strings.SplitAfter(strings.TrimSuffix(open, "\n"), "\n")...)
			open = ""
		}
	}
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], "\n")
	}
	if open != "" {
		p.t.Errorf("a line never ends: %.100q", open)
	}
	return lines
}

func TestPumpPassesBytesOnAsTheyAre(t *testing.T) {
	for name, c := range map[string]struct {
		write string
		want  []string
	}{
		"lines":               {"one\ntwo\n\nfour\n", []string{"one", "two", "", "four"}},
		"CRLF":                {"one\r\ntwo\rthree\r\n", []string{"one\r", "two\rthree\r"}},
		"NUL":                 {"a\x00b\n\x00\n", []string{"a\x00b", "\x00"}},
		"invalid UTF-8":       {"a\xff\xfe\xc3(\n\x80\n", []string{"a\xff\xfe\xc3(", "\x80"}},
		"unfinished at exit":  {"one\ntwo", []string{"one", "two"}},
		"only unfinished":     {"x", []string{"x"}},
		"only a newline":      {"\n", []string{""}},
		"longer than memory":  {strings.Repeat("x", 700<<10) + "\nnext\n", []string{strings.Repeat("x", 700<<10), "next"}},
		"long and unfinished": {strings.Repeat("y", 300<<10), []string{strings.Repeat("y", 300<<10)}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPumping(t, 64<<10)
			p.write(c.write)
			p.end()
			if diff := cmp.Diff(c.want, p.lines()); diff != "" {
				t.Errorf("written (-), passed on (+):\n%.500s", diff)
			}
		})
	}
}

// TestPumpLineInManyWrites: whole lines only come whole, however they arrive,
// as long as the next bytes come soon; and in any case nothing is lost.
func TestPumpLineInManyWrites(t *testing.T) {
	p := newPumping(t, 64<<10)
	text := strings.Repeat("0123456789 and a bit more\n", 200)
	for len(text) > 0 {
		n := min(7, len(text))
		p.write(text[:n])
		text = text[n:]
	}
	p.end()
	for i, line := range p.lines() {
		if line != "0123456789 and a bit more" {
			t.Fatalf("line %d is %q", i, line)
		}
	}
}

// TestPumpPassesPromptOn: an unfinished line comes as a piece after a while,
// and its end completes it.
func TestPumpPassesPromptOn(t *testing.T) {
	p := newPumping(t, 64<<10)
	p.write("name? ")
	eventually(t, "the prompt comes", func() bool { return len(p.sink.all()) == 1 })
	p.write("Ada\nnext\n")
	p.end()
	want := []record{{muster.Stdout, "name? ", true}, {muster.Stdout, "Ada\nnext\n", false}}
	if diff := cmp.Diff(want, p.sink.all(), cmp.AllowUnexported(record{})); diff != "" {
		t.Errorf("wanted (-), got (+):\n%s", diff)
	}
}

// TestPumpEndsAPieceAtExit: what was passed on as a piece is ended when its
// writer has gone, so that the next process's first line does not continue it.
func TestPumpEndsAPieceAtExit(t *testing.T) {
	p := newPumping(t, 64<<10)
	p.write("half")
	eventually(t, "the piece comes", func() bool { return len(p.sink.all()) == 1 })
	p.end()
	want := []record{{muster.Stdout, "half", true}, {muster.Stdout, "\n", false}}
	if diff := cmp.Diff(want, p.sink.all(), cmp.AllowUnexported(record{})); diff != "" {
		t.Errorf("wanted (-), got (+):\n%s", diff)
	}
}

func TestPumpHoldsNoMoreThanASinkAllows(t *testing.T) {
	p := newPumping(t, 1000)
	p.write(strings.Repeat("z", 100<<10))
	eventually(t, "pieces come before the line ends", func() bool {
		n := 0
		for _, r := range p.sink.all() {
			n += len(r.data)
		}
		return n > 100<<10-1000
	})
	p.write("\n")
	p.end()
	if got := p.lines(); len(got) != 1 || got[0] != strings.Repeat("z", 100<<10) {
		t.Errorf("%d lines", len(got))
	}
}
