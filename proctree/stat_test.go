package proctree

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func keep(name []byte) string { return string(name) }

func TestParseStat(t *testing.T) {
	const tail = " S 7 42 40 34816 -1 4194304 100 0 0 0 150 50 9 9 20 0 3 0 987654 1000000 25 18446744073709551615 1 1 0\n"
	for name, comm := range map[string]string{
		"plain":       "sleep",
		"spaces":      "tmux: server",
		"parentheses": "a) S 1 (b))",
		"newline":     "a\nb",
		"empty":       "",
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := parseStat([]byte("42 ("+comm+")"+tail), 4096, keep)
			want := Proc{PID: 42, PPID: 7, PGID: 42, SID: 40, State: 'S', Start: 987654,
				CPU: 2 * time.Second, RSS: 25 * 4096, Threads: 3, Comm: comm}
			if diff := cmp.Diff(want, got); !ok || diff != "" {
				t.Errorf("parsed %v (-want +got):\n%s", ok, diff)
			}
		})
	}
}

func TestParseStatRefuses(t *testing.T) {
	for name, line := range map[string]string{
		"empty":         "",
		"torn":          "42 (sleep) S 7 42 40 34816 -1 41943",
		"no name":       "42 S 7 42",
		"cut at name":   "42 (sleep)",
		"kernel thread": "9 (kworker/0:0) I 2 0 0 0 -1 69238880 0 0 0 0 0 7 0 0 20 0 1 0 30 0 0 18446744073709551615 0",
	} {
		t.Run(name, func(t *testing.T) {
			if got, ok := parseStat([]byte(line), 4096, keep); ok {
				t.Errorf("taken as %+v", got)
			}
		})
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add("42 (sleep) S 7 42 40 34816 -1 4194304 100 0 0 0 150 50 9 9 20 0 3 0 987654 1000000 25 1")
	f.Add("1 ()")
	f.Add(")(")
	f.Fuzz(func(t *testing.T, line string) { parseStat([]byte(line), 4096, keep) })
}
