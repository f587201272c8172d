package source_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster"
	"muster/manifest/source"
)

func TestAtCountsFromOneBehindTheByteOrderMark(t *testing.T) {
	text := source.New("f", []byte("\uFEFFab\r\n\ncé\n"))
	for offset, want := range map[int]string{0: "f:1:1", 1: "f:1:2", 3: "f:1:4", 4: "f:2:1", 5: "f:3:1", 8: "f:3:4", 9: "f:4:1", 99: "f:4:1", -1: "f:1:1"} {
		if got := text.At(offset).String(); got != want {
			t.Errorf("At(%d) = %s, want %s", offset, got, want)
		}
	}
	if line, start := text.Line(0); string(line) != "ab" || start != 0 {
		t.Errorf("Line(0) = %q at %d", line, start)
	}
	if text.Lines() != 4 {
		t.Errorf("Lines() = %d, want 4", text.Lines())
	}
}

func TestUnreadable(t *testing.T) {
	for data, want := range map[string]string{
		"a\x00b":  "f:1:2: a NUL byte, which no text file has; try saving the file as UTF-8 text",
		"é\n\xff": "f:2:1: byte 0xff is not UTF-8; try saving the file as UTF-8 text",
	} {
		if e := source.New("f", []byte(data)).Unreadable(0, len(data)); e == nil || e.Error() != want {
			t.Errorf("%q: %v, want %s", data, e, want)
		}
	}
	if e := source.New("f", []byte("\uFFFDé")).Unreadable(0, 5); e != nil {
		t.Errorf("a replacement character is valid: %v", e)
	}
}

func list(n int) source.Complaints {
	var c source.Complaints
	for i := range n {
		c.Add(muster.ErrorAt(muster.Position{File: "f", Line: i + 1, Col: 1}, "it", "wrong"))
	}
	return c
}

func TestComplaintsPrintTheFirstTen(t *testing.T) {
	lines := strings.Split(list(13).Error(), "\n")
	if len(lines) != 11 || lines[10] != "and 3 more" || lines[9] != "f:10:1: wrong; try it" {
		t.Errorf("got %q", lines)
	}
}

func TestAsErrorPrintsEveryComplaintAndStandsAtTheFirst(t *testing.T) {
	for _, n := range []int{1, 3} {
		wrapped := fmt.Errorf("load: %w", list(n).Err())
		e := muster.AsError(wrapped)
		if e.Code != muster.CodeInvalid || e.Pos == nil || e.Pos.Line != 1 {
			t.Errorf("%d: %+v", n, e)
		}
		if diff := cmp.Diff(list(n).Error(), e.Error()); diff != "" {
			t.Errorf("%d (-list +error):\n%s", n, diff)
		}
	}
	var none source.Complaints
	none.Add((*muster.Error)(nil))
	none.Add(nil)
	if none.Err() != nil {
		t.Errorf("no complaint became %v", none.Err())
	}
	if c := list(3); !errors.Is(c.Err(), c[2]) {
		t.Error("the third complaint is not found in the list")
	}
}

func TestNearest(t *testing.T) {
	known := []string{"command", "cwd", "scale", "max_restarts"}
	for word, want := range map[string]string{
		"comand": "command", "Command": "command", "cdw": "cwd", "sclae": "scale", "max-restart": "max_restarts",
		"scale": "", "entirely": "", "": "", strings.Repeat("x", 1000): "",
	} {
		if got, ok := source.Nearest(word, known); got != want || ok != (want != "") {
			t.Errorf("Nearest(%q) = %q, %v, want %q", word, got, ok, want)
		}
	}
}
