package cli

import (
	"context"
	"fmt"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"muster"
	"muster/api"
)

// interruptible is a context that ends with Ctrl-C: waiting ends, what Muster
// does goes on.
func interruptible(parent context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(parent, syscall.SIGINT, syscall.SIGTERM)
}

// tell prints the progress of a command, as it comes.
func (t *terminal) tell(p api.Progress) {
	if t.json {
		return
	}
	for _, c := range p.Changes {
		fmt.Fprintln(t.out, t.paint(changeColor(c), c.String()))
	}
	if p.Note != "" {
		fmt.Fprintln(t.out, t.paint(yellow, "note: "+p.Note))
	}
	if e := p.Event; e != nil && e.Kind != muster.EventApplied {
		color := grey
		switch {
		case e.Kind == muster.EventUp:
			color = green
		case e.Kind == muster.EventWarning, e.Kind == muster.EventCrashed, isBadEnd(e):
			color = yellow
		}
		fmt.Fprintln(t.out, t.paint(color, "  "+e.Message))
	}
}

func isBadEnd(e *muster.Event) bool {
	return e.Kind == muster.EventExited && e.State != muster.StateDown
}

func changeColor(c api.Change) int {
	switch c.Kind {
	case "add":
		return green
	case "remove":
		return red
	case "unchanged":
		return grey
	}
	return yellow
}

// conclude prints what a command came to, and fails where a process did.
func (t *terminal) conclude(result api.Result, done string) error {
	if t.json {
		if err := t.printJSON(result); err != nil {
			return err
		}
	}
	if len(result.Failures) == 0 {
		if !t.json && done != "" {
			fmt.Fprintln(t.out, done)
		}
		return nil
	}
	for _, f := range result.Failures {
		fmt.Fprintf(t.err, "muster: %s failed: %s\n", f.Slot, f.Reason)
		for _, line := range f.Log {
			fmt.Fprintf(t.err, "  %s | %s\n", f.Slot.Name(), line)
		}
		if len(f.Log) == 0 {
			fmt.Fprintf(t.err, "  it wrote nothing; try muster info %s\n", f.Slot)
		}
	}
	return exitError(exitFailed)
}

// operation runs one of the commands that change what runs.
func (t *terminal) operation(c *cobra.Command, done string, do func(context.Context, *api.Client) (api.Result, error)) error {
	client, err := t.client()
	if err != nil {
		return err
	}
	ctx, cancel := interruptible(c.Context())
	defer cancel()
	result, err := do(ctx, client)
	if ctx.Err() != nil {
		fmt.Fprintln(t.err, "muster: no longer waiting; Muster goes on with it (muster ps shows how far it is)")
		return exitError(128 + int(syscall.SIGINT))
	}
	if err != nil {
		return err
	}
	return t.conclude(result, done)
}

// upSummary says how many processes are up.
func upSummary(r api.Result) string {
	up := map[string]int{}
	var order []string
	for _, p := range r.Processes {
		if p.State != muster.StateUp {
			continue
		}
		if up[p.Type] == 0 {
			order = append(order, p.Type)
		}
		up[p.Type]++
	}
	var parts []string
	for _, typ := range order {
		parts = append(parts, fmt.Sprintf("%s=%d", typ, up[typ]))
	}
	switch {
	case len(parts) == 0:
		return "scaled to zero"
	case len(parts) > 8: // a line, not a page
		return fmt.Sprintf("up: %d processes of %d types", upCount(r), len(parts))
	}
	return "up: " + strings.Join(parts, " ")
}

func upCount(r api.Result) (n int) {
	for _, p := range r.Processes {
		if p.State == muster.StateUp {
			n++
		}
	}
	return n
}
