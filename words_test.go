package muster

import (
	"bytes"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestParseBytes(t *testing.T) {
	good := map[string]Bytes{
		"0": 0, "7": 7, "512b": 512, "1K": 1 << 10, "1kb": 1 << 10, "10MB": 10 << 20, "1.5G": 3 << 29, " 2 GB ": 2 << 30, "1T": 1 << 40, "1.": 1,
	}
	for text, want := range good {
		if got, err := ParseBytes(text); err != nil || got != want {
			t.Errorf("%q: %d, %v, want %d", text, got, err, want)
		}
	}
	bad := []string{
		"", " ", "MB", "nan", "NaNK", "inf", "infinity", "-inf", "+infB", "0x10", "0x1p4", "0x1p4K", "1e3", "1E3K", "-1", "+1", "1_000", "1,5G",
		"10 M B", "10MBB", "ten", "99999999T", "1.2.3", ".", "1PB", "10Mi",
	}
	for _, text := range bad {
		if got, err := ParseBytes(text); err == nil {
			t.Errorf("%q is taken for %d", text, got)
		}
	}
}

func FuzzParseBytes(f *testing.F) {
	for _, s := range []string{"10MB", "nan", "1.5G", "0x1p-2", "999999T"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ParseBytes(text)
		if err == nil && (n < 0 || n > 1<<60) {
			t.Fatalf("%q is %d", text, n)
		}
	})
}

func FuzzLineRoundTrip(f *testing.F) {
	f.Add(int64(0), true, false, []byte("hello"))
	f.Add(int64(1763715820123456789), false, true, []byte(""))
	f.Add(int64(1), false, false, []byte(" F P stdout \xff\x00"))
	f.Fuzz(func(t *testing.T, nanos int64, errs, partial bool, text []byte) {
		if nanos < 0 || bytes.IndexByte(text, '\n') >= 0 {
			return // a record is one line, and no log is older than 1970
		}
		l := Line{At: time.Unix(0, nanos).UTC(), Stream: Stdout, Partial: partial, Text: text}
		if errs {
			l.Stream = Stderr
		}
		record := l.Append(nil)
		got, ok := ParseLine(bytes.TrimSuffix(record, []byte("\n")))
		if !ok || !got.At.Equal(l.At) || got.Stream != l.Stream || got.Partial != partial || !bytes.Equal(got.Text, text) {
			t.Fatalf("%q was read back as %+v, %v", record, got, ok)
		}
	})
}

func FuzzParseLine(f *testing.F) {
	f.Add([]byte("2026-11-21T09:03:40.123456789Z stdout F the text"))
	f.Add([]byte("2026-02-30T09:03:40.123456789Z stdout F the text"))
	f.Fuzz(func(t *testing.T, record []byte) {
		l, ok := ParseLine(record)
		if !ok {
			return
		}
		if again := bytes.TrimSuffix(l.Append(nil), []byte("\n")); !bytes.Equal(again, record) {
			t.Fatalf("%q was read, and is written as %q", record, again)
		}
	})
}

func TestParseLineRefuses(t *testing.T) {
	good := "2026-11-21T09:03:40.123456789Z stdout F x"
	if _, ok := ParseLine([]byte(good)); !ok {
		t.Fatal("a good record is refused")
	}
	for _, bad := range []string{
		"", "2026", good[:31], strings.Replace(good, "stdout", "stdlog", 1), strings.Replace(good, " F ", " X ", 1), strings.Replace(good, " F ", " FF ", 1),
		strings.Replace(good, "11-21", "13-21", 1), strings.Replace(good, "11-21", "02-30", 1), strings.Replace(good, "Z ", "+ ", 1),
		strings.Replace(good, "T09", "T24", 1), strings.Replace(good, ":40", ":60", 1), " " + good, strings.Replace(good, "2026", "２０２６", 1),
	} {
		if l, ok := ParseLine([]byte(bad)); ok {
			t.Errorf("%q is taken for %+v", bad, l)
		}
	}
}

func TestSegmentNames(t *testing.T) {
	for _, s := range []Segment{{1, 1, false}, {7, 123456, true}, {9999999999, 999999999999, false}, {12345678901, 1234567890123, true}} {
		if got, ok := ParseSegmentName(s.Name()); !ok || got != s {
			t.Errorf("%s is read as %+v, %v", s.Name(), got, ok)
		}
	}
	for _, name := range []string{
		"", ".log", "-.log", "1.log", "a-b.log", "0000000001-000000000001", "0000000001-000000000001.log.gz", "0000000001-000000000001.zst",
		"0000000001-000000000001.log.zst.tmp", "+1-+1.log", "-1--1.log", "0000000001--00000000001.log", "99999999999999999999-1.log",
	} {
		if s, ok := ParseSegmentName(name); ok {
			t.Errorf("%q is taken for %+v", name, s)
		}
	}
}

func TestSignals(t *testing.T) {
	for text, want := range map[string]syscall.Signal{
		"TERM": syscall.SIGTERM, "SIGTERM": syscall.SIGTERM, "term": syscall.SIGTERM, " sigHup ": syscall.SIGHUP, "15": syscall.SIGTERM, "9": syscall.SIGKILL, "64": 64,
	} {
		if got, ok := SignalNumber(text); !ok || got != want {
			t.Errorf("%q is %d, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "0", "-1", "65", "SIG", "NOPE", "SIGSIGTERM", "1.5"} {
		if got, ok := SignalNumber(text); ok {
			t.Errorf("%q is taken for signal %d", text, got)
		}
	}
	for n := syscall.Signal(1); n < 65; n++ {
		if got, ok := SignalNumber(SignalName(n)); !ok || got != n {
			t.Errorf("signal %d is called %s, which is %d", n, SignalName(n), got)
		}
	}
}

func TestShellQuoteAgainstTheShell(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh on this machine")
	}
	words := []string{
		"", " ", "a", "a b", "it's", "''", `"`, `\`, `\\n`, "$HOME", "`id`", "$(id)", "!x", "*", "?", "[a]", "~", "~root", "a=b", "=", "-n", "#c", "{a,b}",
		"a;b", "a&b", "a|b", "<a>", "new\nline", "tab\t", "é", "日本", "a\x80b", "%s", "@", "a:b", ",", "^", "\r", "'a'b'",
	}
	args := make([]string, len(words))
	for i, w := range words {
		args[i] = ShellQuote(w)
	}
	out, err := exec.Command(sh, "-c", "printf '%s\\000' "+strings.Join(args, " ")).Output()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Join(words, "\x00")+"\x00", string(out)); diff != "" {
		t.Error(diff)
	}
}

func TestScaleCount(t *testing.T) {
	n := runtime.NumCPU()
	cases := []struct {
		scale Scale
		want  int
	}{
		{Scale{}, 1},
		{Scale{N: 5}, 1}, // not written, so not meant
		{Scale{Set: true}, 0},
		{Scale{Set: true, N: 4}, 4},
		{Scale{Set: true, Auto: true}, n},
		{Scale{Set: true, Auto: true, Max: 1}, 1},
		{Scale{Set: true, Auto: true, Min: n + 3}, n + 3},
		{Scale{Set: true, Auto: true, Min: n + 3, Max: 1}, n + 3},
	}
	for _, c := range cases {
		if got := c.scale.Count(); got != c.want {
			t.Errorf("%+v counts %d, want %d", c.scale, got, c.want)
		}
	}
}

func TestNames(t *testing.T) {
	long := strings.Repeat("a", 63)
	for _, good := range []string{"a", "web", "Web_2", "a-b", "9", long} {
		if !ValidTypeName(good) || !ValidAppName(good) {
			t.Errorf("%q is refused", good)
		}
	}
	for _, bad := range []string{"", "-a", "a.b", "a/b", "a b", "é", "../x", long + "a", "a\n"} {
		if ValidTypeName(bad) || ValidAppName(bad) {
			t.Errorf("%q is taken", bad)
		}
	}
	for _, bad := range []string{"all", "muster"} {
		if ValidAppName(bad) {
			t.Errorf("an app may be called %q", bad)
		}
	}
	for name, want := range map[string]bool{"web.1": true, "web.0": false, "web.-1": false, "web": false, "web.x": false, ".1": false, "a.b.1": false, "web.1.2": false, "web.99999999999999999999": false} {
		if _, _, ok := ParseSlotName(name); ok != want {
			t.Errorf("%q: %v, want %v", name, ok, want)
		}
	}
}

func TestErrorsSayWhereAndWhatToTry(t *testing.T) {
	err := ErrorAt(Position{"Procfile", 3, 7}, "web: command", "%q is no line", "x")
	if got := err.Error(); got != `Procfile:3:7: "x" is no line; try web: command` || !utf8.ValidString(got) {
		t.Errorf("%q", got)
	}
	cause := syscall.ENOENT
	wrapped := Errorf(CodeFailed, "", "open: %w", cause)
	if wrapped.Unwrap() != cause || AsError(cause).Code != CodeInternal || AsError(wrapped) != wrapped {
		t.Errorf("%+v", wrapped)
	}
}
