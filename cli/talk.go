package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"muster/api"
)

func signalCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:     "signal SIGNAL TARGET...",
		Short:   "Send a signal to processes",
		Long:    "Signal sends a signal to the process itself, not to its children.\n\n" + targetHelp,
		Example: "  muster signal HUP shop/web\n  muster signal SIGUSR2 worker.1",
		Args:    cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := t.client()
			if err != nil {
				return err
			}
			sent, err := client.Signal(c.Context(), api.SignalRequest{Target: t.target(args[1:]), Signal: args[0]})
			if err != nil {
				return err
			}
			return t.printSent(sent, "signalled")
		},
	}
}

func sendCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:     "send TARGET TEXT",
		Short:   "Write a line to a process's standard input",
		Long:    "Send writes TEXT and a newline to the standard input of every process the target\nmeans. A process that does not read its input does not hold the sender up.\n\n" + targetHelp,
		Example: "  muster send worker 'reload catalogue'",
		Args:    cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := t.client()
			if err != nil {
				return err
			}
			sent, err := client.Send(c.Context(), api.SendRequest{Target: t.target(args[:1]), Text: strings.Join(args[1:], " ")})
			if err != nil {
				return err
			}
			return t.printSent(sent, "sent to")
		},
	}
}

func (t *terminal) printSent(sent api.Sent, verb string) error {
	if t.json {
		return t.printJSON(sent)
	}
	var names []string
	for _, s := range sent.Processes {
		names = append(names, s.String())
	}
	_, err := fmt.Fprintf(t.out, "%s %s\n", verb, strings.Join(names, " "))
	return err
}
