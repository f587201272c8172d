package cli

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"muster/api"
)

func attachCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "attach TARGET",
		Short: "Speak with a process: your lines in, its lines out",
		Long: `Attach connects your standard input to that of one process and follows its lines.
What you write goes to the process as it is. Ctrl-C, or the end of your input,
detaches (after a pipe's last line, once the process has been silent for a second).
The process notices neither.`,
		Example:           "  muster attach shop/repl.1\n  echo status | muster attach worker",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: t.completeTargets,
		RunE: func(c *cobra.Command, args []string) error {
			client, err := t.client()
			if err != nil {
				return err
			}
			slot, stdin, err := client.Attach(c.Context(), t.target(args))
			if err != nil {
				return err
			}
			defer stdin.Close()
			ctx, cancel := interruptible(c.Context())
			defer cancel()
			began := time.Now()
			heard := make(chan struct{}, 1)
			go func() {
				_, _ = io.Copy(stdin, t.in)
				if !isTerminal(t.in) {
					awaitQuiet(ctx, heard)
				}
				cancel()
			}()
			follow := api.LogRequest{Target: api.Target{Names: []string{slot.String()}}, Last: -1, Since: began, Follow: true}
			return t.printLogs(ctx, client, follow, logFlags{raw: true, heard: heard})
		},
	}
}

// answerQuiet is how long a process must be silent after the last of a pipe's
// input for its answer to count as complete.
const answerQuiet = time.Second

// awaitQuiet returns once nothing has been heard for a while.
func awaitQuiet(ctx context.Context, heard <-chan struct{}) {
	for {
		select {
		case <-heard:
		case <-time.After(answerQuiet):
			return
		case <-ctx.Done():
			return
		}
	}
}
