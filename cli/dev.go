package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"muster"
	"muster/api"
	"muster/dev"
)

type devFlags struct {
	startFlags
	restart bool
	tty     string
	times   bool
}

func devCommand(t *terminal) *cobra.Command {
	var f devFlags
	c := &cobra.Command{
		Use:   "dev [TYPE...]",
		Short: "Run the app in the foreground",
		Long: `Dev runs the app of this directory in the terminal: every line with the name of
the process that wrote it, PORT from 5000 on (100 more a process type, 1 more a
process). release and postdeploy do not run. When one process ends, the others are
stopped and dev exits with the code of the first that failed (128+n for a signal);
with --restart processes are protected as on a server. Ctrl-C stops everything in
order; a second Ctrl-C kills.

With -m, types that are not named do not run, unless all=N says how many.`,
		Example: "  muster dev\n  muster dev web worker\n  muster dev -m web=2,worker=1 -p 3000\n  muster dev --watch --restart\n  muster dev --tty web          give web the terminal, for a debugger",
		Args:    cobra.ArbitraryArgs,
	}
	flags := c.Flags()
	flags.StringVarP(&f.file, "file", "f", "", "read this manifest `FILE`")
	flags.IntVarP(&f.port, "port", "p", -1, "the first `PORT` to hand out; 0 picks free ones (default: .env, $PORT, 5000)")
	flags.StringVarP(&f.formation, "formation", "m", "", "how many of each type: `web=2,worker=1`")
	flags.BoolVar(&f.watch, "watch", false, "restart processes when files of the app change")
	flags.BoolVar(&f.restart, "restart", false, "start processes again when they end")
	flags.StringVar(&f.tty, "tty", "", "give the first process of this `TYPE` the terminal")
	flags.BoolVarP(&f.times, "timestamps", "t", false, "the time before each line")
	c.RunE = func(c *cobra.Command, args []string) error { return t.dev(c, f, args) }
	return c
}

func (t *terminal) dev(c *cobra.Command, f devFlags, types []string) error {
	freePorts := f.port == 0
	if f.port <= 0 {
		f.port = 0
	}
	loaded, err := t.load(f.startFlags, nil, nil, defaultPort)
	if err != nil {
		return err
	}
	t.warn(loaded.Warnings)
	if freePorts {
		loaded.App.PortBase = 0
	}
	counts, err := devCounts(loaded.App, types, f.formation)
	if err != nil {
		return err
	}
	if f.tty != "" && (loaded.App.Type(f.tty) == nil || counts[f.tty] == 0) {
		return usage("one of "+strings.Join(loaded.App.TypeNames(), ", "), "--tty: %q does not run here", f.tty)
	}
	if f.tty != "" && !isTerminal(t.in) {
		return usage("a terminal, or leaving --tty out", "--tty %s: standard input is no terminal", f.tty)
	}
	closeInheritedOnExec()
	code, err := dev.Run(c.Context(), dev.Options{
		App: loaded.App, Counts: counts, Environment: api.ShellEnvironment(os.Environ(), true),
		Restart: f.restart, Watch: f.watch, Terminal: f.tty,
		Color: t.color, Times: f.times, Stdout: t.out, Stderr: t.err,
	})
	if err != nil {
		return err
	}
	if code != 0 {
		return exitError(code)
	}
	return nil
}

const defaultPort = 5000

// devCounts decides what runs: named types only, or -m, or all as the manifest
// scales them.
func devCounts(a *muster.App, types []string, formation string) (map[string]int, error) {
	counts := map[string]int{}
	named := map[string]bool{}
	for _, typ := range types {
		if a.Type(typ) == nil {
			return nil, usage("one of "+strings.Join(a.TypeNames(), ", "), "there is no process type %q", typ)
		}
		named[typ] = true
	}
	asked, all, err := parseFormation(a, formation)
	if err != nil {
		return nil, err
	}
	for _, t := range a.Types {
		n := t.Scale.Count()
		if formation != "" {
			n = all
		}
		if count, ok := asked[t.Name]; ok {
			n = count
		}
		if t.OneShot() || len(named) > 0 && !named[t.Name] {
			n = 0
		}
		counts[t.Name] = n
	}
	for _, n := range counts {
		if n > 0 {
			return counts, nil
		}
	}
	return nil, muster.Errorf(muster.CodeInvalid, "a process type other than release and postdeploy, scaled to 1 or more", "%s: nothing to run", a.Source)
}

// parseFormation reads "web=2,worker=1,all=1".
func parseFormation(a *muster.App, text string) (asked map[string]int, all int, err error) {
	asked = map[string]int{}
	if text == "" {
		return asked, 0, nil
	}
	changes, err := parseScale(strings.Split(text, ","))
	if err != nil {
		return nil, 0, err
	}
	for _, c := range changes {
		switch {
		case c.Op != "=":
			return nil, 0, usage(fmt.Sprintf("%s=%d", c.Type, c.N), "-m takes numbers, not changes")
		case c.Type == "all":
			all = c.N
		case a.Type(c.Type) == nil:
			return nil, 0, usage("one of "+strings.Join(a.TypeNames(), ", "), "-m: there is no process type %q", c.Type)
		default:
			asked[c.Type] = c.N
		}
	}
	return asked, all, nil
}
