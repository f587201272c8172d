package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"muster"
	"muster/api"
)

func psCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:     "ps [TARGET...]",
		Aliases: []string{"ls", "list", "status"},
		Short:   "List processes",
		Long: `Ps lists every process: its state, pid, uptime, restarts, cpu (of one core),
memory (resident) and the ports it listens on. Cpu, memory and ports count the whole
process tree. A state is one of starting, up, draining, stopping, down, backoff,
crashed and idle.

` + targetHelp,
		Example:           "  muster ps\n  muster ps shop/web\n  muster ps --json | jq '.[] | select(.state != \"up\")'",
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: t.completeTargets,
		RunE: func(c *cobra.Command, args []string) error {
			client, err := t.client()
			if err != nil {
				return err
			}
			target := api.Target{Names: args, App: t.app}
			if len(args) > 0 {
				target = t.target(args)
			}
			list, err := client.Processes(c.Context(), target)
			if err != nil {
				return err
			}
			if t.json {
				return t.printJSON(list)
			}
			return t.printProcesses(list)
		},
	}
}

func (t *terminal) printProcesses(list []muster.Process) error {
	if len(list) == 0 {
		return t.printNoProcesses()
	}
	tab := table{
		header: []string{"PROCESS", "STATE", "PID", "UP", "RESTARTS", "CPU", "MEMORY", "PORTS"},
		right:  map[int]bool{2: true, 3: true, 4: true, 5: true, 6: true},
	}
	var notes []string
	for _, p := range list {
		tab.rows = append(tab.rows, psRow(p))
		if p.State == muster.StateCrashed || p.State == muster.StateBackoff || p.State == muster.StateStarting {
			notes = append(notes, fmt.Sprintf("%s %s: %s", p.SlotOf(), inState(p.State), p.Reason))
		}
	}
	if err := t.printTable(tab); err != nil {
		return err
	}
	for _, note := range notes {
		if _, err := fmt.Fprintln(t.out, t.paint(yellow, note)); err != nil {
			return err
		}
	}
	return nil
}

func psRow(p muster.Process) []cell {
	row := []cell{
		{p.SlotOf().String(), 0}, {string(p.State), stateColor(p.State)}, {"-", 0}, {"-", 0},
		{fmt.Sprint(p.Restarts), 0}, {"-", 0}, {"-", 0}, {orDash(joinInts(p.Ports)), 0},
	}
	if p.PID != 0 {
		row[2].text = fmt.Sprint(p.PID)
		row[3].text = shortDuration(time.Duration(p.UptimeSeconds * float64(time.Second)))
		row[5].text = fmt.Sprintf("%.1f%%", p.CPUPercent)
		row[6].text = shortBytes(p.MemoryBytes)
	}
	return row
}

func inState(s muster.State) string {
	if s == muster.StateBackoff {
		return "is in backoff"
	}
	return "is " + string(s)
}

// printNoProcesses tells no apps from apps that are scaled to zero.
func (t *terminal) printNoProcesses() error {
	message := "No apps yet. Try muster start in a directory with a Procfile."
	if s, err := t.clientFound.Status(context.Background()); err == nil && s.Apps > 0 {
		message = "No processes: " + plural(s.Apps, "app") + ", scaled to zero. Try muster scale web=1."
	}
	_, err := fmt.Fprintln(t.out, message)
	return err
}
