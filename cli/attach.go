package cli

import (
	"io"
	"os"

	"github.com/spf13/cobra"

	"muster/api"
)

func attachCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "attach TARGET",
		Short: "Speak with a process: your lines in, its lines out",
		Long: `Attach connects your standard input to that of one process and follows its lines.
What you write goes to the process as it is; Ctrl-C, or the end of your input,
detaches. The process notices neither.`,
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
			go func() {
				_, _ = io.Copy(stdin, os.Stdin)
				if isTerminal(os.Stdin) {
					cancel()
				}
			}()
			follow := api.LogRequest{Target: api.Target{Names: []string{slot.String()}}, Last: 0, Follow: true}
			return t.printLogs(ctx, client, follow, logFlags{raw: true})
		},
	}
}
