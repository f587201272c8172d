package cli

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"muster"
	"muster/api"
)

func daemonCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "daemon status | stop | upgrade",
		Short: "Muster itself: status, stop, upgrade",
		Long: `Muster is two processes: the keeper, parent of everything, and the daemon, which
decides. The daemon may be killed at any time; upgrade replaces both by another
binary. Neither touches a process.`,
		Example: "  muster daemon status\n  muster daemon upgrade\n  muster daemon stop",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(
		&cobra.Command{Use: "status", Short: "Whether Muster runs, and what of it", Args: cobra.NoArgs, RunE: t.daemonStatus},
		&cobra.Command{Use: "stop", Short: "Stop all processes in order, then Muster", Args: cobra.NoArgs, RunE: t.daemonStop,
			Long: "Stop ends all processes and then Muster. What was running runs again after the\nnext muster start or daemon start."},
		&cobra.Command{Use: "start", Short: "Start Muster, and with it what was running", Args: cobra.NoArgs, RunE: t.daemonStart},
		&cobra.Command{Use: "upgrade [BINARY]", Short: "Replace Muster by another binary, touching no process",
			Long: "Upgrade makes the running Muster become BINARY (default: this program's file). No\nprocess ends, no socket closes, no log line is lost.",
			Args: cobra.MaximumNArgs(1), RunE: t.daemonUpgrade},
		daemonRole(t),
	)
	return c
}

// daemonRole is the hidden role that decides everything; the keeper starts it.
func daemonRole(t *terminal) *cobra.Command {
	return &cobra.Command{Use: "serve", Hidden: true, Args: cobra.NoArgs, Short: "Be the daemon (started by the keeper)",
		RunE: func(*cobra.Command, []string) error { return t.serveDaemon() }}
}

func (t *terminal) daemonStatus(c *cobra.Command, _ []string) error {
	client, err := t.client()
	if err != nil {
		return err
	}
	s, err := client.Status(c.Context())
	if err != nil {
		return err
	}
	if t.json {
		return t.printJSON(s)
	}
	fmt.Fprintf(t.out, "Muster %s runs in %s\n", s.Version, s.Home)
	fmt.Fprintf(t.out, "keeper pid %d, up %s\n", s.KeeperPID, shortDuration(time.Since(s.KeeperStarted)))
	fmt.Fprintf(t.out, "daemon pid %d, up %s\n", s.DaemonPID, shortDuration(time.Since(s.StartedAt)))
	fmt.Fprintf(t.out, "%s, %s\n", plural(s.Apps, "app"), pluralOf(s.Processes, "process", "processes"))
	return nil
}

func (t *terminal) daemonStart(c *cobra.Command, args []string) error {
	if _, err := t.running(c.Context()); err != nil {
		return err
	}
	return t.daemonStatus(c, args)
}

func (t *terminal) daemonStop(c *cobra.Command, _ []string) error {
	client, err := t.client()
	if err != nil {
		return err
	}
	before, err := client.Status(c.Context())
	if err != nil {
		return err
	}
	if err := client.Shutdown(c.Context()); err != nil {
		return err
	}
	if !t.await(c.Context(), func() bool { return !alive(before.KeeperPID) }) {
		return muster.Errorf(muster.CodeFailed, "muster daemon status", "Muster has not ended within %s", bootLimit)
	}
	_, err = fmt.Fprintln(t.out, "Muster has stopped")
	return err
}

func (t *terminal) daemonUpgrade(c *cobra.Command, args []string) error {
	binary, err := os.Executable()
	if err != nil {
		return err
	}
	if len(args) == 1 {
		binary = args[0]
	}
	client, err := t.client()
	if err != nil {
		return err
	}
	before, err := client.Status(c.Context())
	if err != nil {
		return err
	}
	if err := client.Upgrade(c.Context(), binary); err != nil {
		return err
	}
	var now api.Status
	if !t.await(c.Context(), func() bool {
		now, err = client.Status(c.Context())
		return err == nil && now.DaemonPID != before.DaemonPID
	}) {
		return muster.Errorf(muster.CodeFailed, "muster logs muster", "the new daemon does not answer")
	}
	_, err = fmt.Fprintf(t.out, "Muster %s is now Muster %s (daemon pid %d); %d processes run on\n", before.Version, now.Version, now.DaemonPID, now.Processes)
	return err
}

// await asks until the answer is yes, for as long as Muster may take to boot.
func (t *terminal) await(ctx context.Context, yes func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, bootLimit)
	defer cancel()
	for pause := 2 * time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		if yes() {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pause):
		}
	}
}
