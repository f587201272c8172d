package cli

import (
	"fmt"
	"os"

	"golang.org/x/term"

	"muster"
)

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

const (
	red    = 31
	green  = 32
	yellow = 33
	grey   = 90
	bold   = 1
)

// paint colours text where colours are taken.
func (t *terminal) paint(color int, text string) string {
	if !t.color || color == 0 {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", color, text)
}

func stateColor(s muster.State) int {
	switch s {
	case muster.StateUp:
		return green
	case muster.StateCrashed:
		return red
	case muster.StateBackoff, muster.StateStarting, muster.StateStopping, muster.StateDraining:
		return yellow
	}
	return grey
}
