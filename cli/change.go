package cli

import (
	"context"
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"muster"
	"muster/api"
)

const targetHelp = `TARGET is an app, app/type or app/type.n; inside an app's directory type and
type.n are enough. all means everything; nothing means the app of this directory.`

func stopCommand(t *terminal) *cobra.Command {
	return t.targetCommand("stop TARGET...", "Stop processes and keep them down",
		"The stop signal goes to the whole process group; what has not ended after\nstop_timeout (10 s) is killed with its whole tree. What was stopped stays down,\nalso after a reboot, until it is started.",
		"  muster stop            the app of this directory\n  muster stop shop/worker.2", "stopped", (*api.Client).Stop)
}

func restartCommand(t *terminal) *cobra.Command {
	return t.targetCommand("restart TARGET...", "Stop processes and start them again",
		"Processes are stopped in order and started again with the present environment.",
		"  muster restart\n  muster restart web", "", (*api.Client).Restart)
}

func reloadCommand(t *terminal) *cobra.Command {
	return t.targetCommand("reload TARGET...", "Replace processes one by one",
		"A process type with sockets of its own gets each process replaced by one beside\nit, so that no connection is refused: only when the new one is ready does the old\none stop. If the new one does not become ready, the old one stays and reload exits\nwith 1. Other process types are restarted one after the other.",
		"  muster reload web", "reloaded", (*api.Client).Reload)
}

func deleteCommand(t *terminal) *cobra.Command {
	c := t.targetCommand("delete APP...", "Stop apps and forget them",
		"The apps' processes are stopped and their settings forgotten; their logs stay.",
		"  muster delete shop", "deleted", (*api.Client).Delete)
	c.Aliases = []string{"del"}
	return c
}

// targetCommand makes the commands that do one thing to some processes.
func (t *terminal) targetCommand(use, short, long, example, done string, do func(*api.Client, context.Context, api.Target, func(api.Progress)) (api.Result, error)) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Long: long + "\n\n" + targetHelp, Example: example, Args: cobra.ArbitraryArgs,
		ValidArgsFunction: t.completeTargets,
		RunE: func(c *cobra.Command, args []string) error {
			return t.operation(c, done, func(ctx context.Context, client *api.Client) (api.Result, error) {
				return do(client, ctx, t.target(args), t.tell)
			})
		},
	}
}

func scaleCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "scale [TYPE=N | TYPE+N | TYPE-N]...",
		Short: "Change how many processes of a type run",
		Long: `Scale changes the formation of an app and returns when the new processes are up
and the surplus has stopped. Without arguments it prints the formation in a form
that can be given back to it. A scale set by hand stays through later starts, until
the manifest's own scale changes.`,
		Example: "  muster scale web=4 worker+1\n  muster scale -a shop web=0",
		Args:    cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return t.printFormation(c)
			}
			changes, err := parseScale(args)
			if err != nil {
				return err
			}
			client, err := t.client()
			if err != nil {
				return err
			}
			ctx, cancel := interruptible(c.Context())
			defer cancel()
			result, err := client.Scale(ctx, api.ScaleRequest{Target: t.target(nil), Changes: changes}, t.tell)
			if err != nil {
				return err
			}
			return t.conclude(result, upSummary(result))
		},
	}
}

var scalePattern = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9_-]*?)(=|\+|-|@)(\d+)$`)

// parseScale reads "web=4", "worker+1", "worker-1".
func parseScale(args []string) (changes []api.ScaleChange, err error) {
	for _, arg := range args {
		m := scalePattern.FindStringSubmatch(strings.TrimSpace(arg))
		if m == nil {
			return nil, usage("web=4, worker+1 or worker-1", "%q is not a scale", arg)
		}
		n, err := strconv.Atoi(m[3])
		if err != nil || n > muster.MaxScale {
			return nil, usage(fmt.Sprintf("0 to %d", muster.MaxScale), "%s: %s is not a number of processes", arg, m[3])
		}
		changes = append(changes, api.ScaleChange{Type: m[1], Op: strings.Replace(m[2], "@", "=", 1), N: n})
	}
	return changes, nil
}

func (t *terminal) printFormation(c *cobra.Command) error {
	client, err := t.client()
	if err != nil {
		return err
	}
	list, err := client.Processes(c.Context(), t.target(nil))
	if err != nil {
		return err
	}
	counts := map[string]int{}
	for _, p := range list {
		if p.Type != "run" {
			counts[p.Type]++
		}
	}
	if t.json {
		return t.printJSON(counts)
	}
	var words []string
	for typ, n := range counts {
		words = append(words, fmt.Sprintf("%s=%d", typ, n))
	}
	sort.Strings(words)
	fmt.Fprintln(t.out, strings.Join(words, " "))
	return nil
}

// completeTargets offers apps and processes for the shell's completion.
func (t *terminal) completeTargets(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	client, err := t.client()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	list, err := client.Processes(c.Context(), api.Target{Names: []string{"all"}})
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	seen := map[string]bool{"all": true}
	for _, p := range list {
		seen[p.App], seen[p.App+"/"+p.Type], seen[p.App+"/"+p.Name] = true, true, true
	}
	var names []string
	for name := range seen {
		names = append(names, name)
	}
	sort.Strings(names)
	return names, cobra.ShellCompDirectiveNoFileComp
}
