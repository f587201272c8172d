package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/api"
)

func infoCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:     "info TARGET...",
		Aliases: []string{"describe", "desc", "show"},
		Short:   "Everything known of a process",
		Long: `Info prints a process's command, surroundings and state, its last exits with their
reasons, and its latest events. Environment variables are named, never shown.

` + targetHelp,
		Example:           "  muster info web.1\n  muster info --json shop",
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: t.completeTargets,
		RunE: func(c *cobra.Command, args []string) error {
			client, err := t.client()
			if err != nil {
				return err
			}
			infos, err := client.Info(c.Context(), t.target(args))
			if err != nil {
				return err
			}
			if t.json {
				return t.printJSON(infos)
			}
			for i, info := range infos {
				if i > 0 {
					fmt.Fprintln(t.out)
				}
				t.printInfo(info)
			}
			return nil
		},
	}
}

func (t *terminal) printInfo(info api.Info) {
	row := func(name, format string, args ...any) {
		if text := fmt.Sprintf(format, args...); text != "" {
			fmt.Fprintf(t.out, "%s %s\n", t.paint(grey, fmt.Sprintf("%-12s", name)), text)
		}
	}
	fmt.Fprintf(t.out, "%s  %s (%s)\n", t.paint(bold, info.SlotOf().String()), t.paint(stateColor(info.State), string(info.State)), info.Reason)
	row("command", "%s", info.Command)
	row("directory", "%s", info.Cwd)
	if info.PID != 0 {
		row("pid", "%d (tree: %s)", info.PID, joinInts(info.PIDs))
		row("up", "%s, since %s", shortDuration(time.Duration(info.UptimeSeconds*float64(time.Second))), info.StartedAt.Local().Format(time.DateTime))
		row("takes", "%.1f%% cpu, %s memory", info.CPUPercent, shortBytes(info.MemoryBytes))
	}
	row("restarts", "%d", info.Restarts)
	if info.RetryAt != nil {
		row("next start", "%s", info.RetryAt.Local().Format(time.DateTime))
	}
	row("PORT", "%d", info.Port)
	row("listens on", "%s", joinInts(info.Ports))
	row("stop", "%s, then KILL after %s", info.Spec.Stop.Signal, info.Spec.Stop.Timeout)
	row("logs", "%s", info.LogDir)
	row("environment", "%s", strings.Join(info.Environment, " "))
	for i, exit := range info.Exits {
		name := ""
		if i == 0 {
			name = "last exits"
		}
		row(name, "%s  %s", exit.At.Local().Format(time.DateTime), exit)
	}
	for i, e := range info.Events {
		name := ""
		if i == 0 {
			name = "events"
		}
		row(name, "%s  %s", e.At.Local().Format(time.DateTime), e.Message)
	}
}
