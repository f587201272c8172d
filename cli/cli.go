// Package cli is Muster's command line: flags become a request, the request
// goes through api's client, the answer is printed. One file a command; its
// help is the documentation (docs/cli.md is made from it).
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"muster"
	"muster/api"
	"muster/home"
)

// Exit codes: dev and run also exit with their child's.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// A terminal is what a command speaks to, and what every command shares.
type terminal struct {
	in          *os.File
	out, err    io.Writer
	color       bool // stdout takes colours
	json        bool
	app         string // -a
	noColor     bool
	homeFound   home.Home
	clientFound *api.Client
}

// exitError ends the program with a code, after everything has been said.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// Main runs a command line and returns the exit code.
func Main(args []string) int {
	t := &terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	root := newRoot(t)
	root.SetArgs(translate(args))
	err := root.ExecuteContext(context.Background())
	return t.exitCode(err)
}

// exitCode reports err, unless it only carries a code, and maps it.
func (t *terminal) exitCode(err error) int {
	var exit exitError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &exit):
		return int(exit)
	case errors.Is(err, syscall.EPIPE): // muster ps | head
		return exitDone
	}
	fmt.Fprintf(t.err, "muster: %s\n", strings.TrimPrefix(err.Error(), "muster: "))
	var e *muster.Error
	if errors.As(err, &e) && e.Code != muster.CodeUsage {
		return exitFailed
	}
	if e == nil && !isUsage(err) {
		return exitFailed
	}
	return exitUsage
}

// usageError marks what cobra says about a wrong command line.
type usageError struct{ error }

func isUsage(err error) bool {
	var u usageError
	return errors.As(err, &u) || strings.HasPrefix(err.Error(), "unknown command") || strings.HasPrefix(err.Error(), "unknown flag") ||
		strings.HasPrefix(err.Error(), "unknown shorthand")
}

// usage returns an error for a command line that is wrong.
func usage(hint, format string, args ...any) error {
	return muster.Errorf(muster.CodeUsage, hint, format, args...)
}

func newRoot(t *terminal) *cobra.Command {
	root := &cobra.Command{
		Use:   "muster",
		Short: "Run applications as processes",
		Long: `Muster runs an application that is described as processes: in a terminal while
you develop it, and under care on a server. It reads a Procfile, muster.toml
beside it, package.json, or the command you name.`,
		Example: `  muster dev                    run the Procfile here, in the foreground
  muster start                  run it under care, and return when it is up
  muster ps                     what runs
  muster logs -f web            follow the lines of all web processes
  muster scale web=4 worker+1   change the formation`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
		PersistentPreRun: func(*cobra.Command, []string) {
			t.color = !t.noColor && os.Getenv("NO_COLOR") == "" && isTerminal(os.Stdout)
		},
	}
	root.SetOut(t.out)
	root.SetErr(t.err)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; try %s --help", err, c.CommandPath())}
	})
	flags := root.PersistentFlags()
	flags.StringVarP(&t.app, "app", "a", "", "the `NAME` of the app (default: the app of this directory)")
	flags.BoolVar(&t.json, "json", false, "print JSON")
	flags.BoolVar(&t.noColor, "no-color", false, "print no colours (NO_COLOR does the same)")
	root.CompletionOptions.HiddenDefaultCmd = false
	for _, group := range commandGroups {
		root.AddGroup(&cobra.Group{ID: group.id, Title: group.title})
		for _, make := range group.commands {
			command := make(t)
			command.GroupID = group.id
			root.AddCommand(command)
		}
	}
	root.AddCommand(keeperCommand(t))
	finish(root)
	return root
}

// commandGroups is the help's table of contents.
var commandGroups = []struct {
	id, title string
	commands  []func(*terminal) *cobra.Command
}{
	{"run", "Run:", []func(*terminal) *cobra.Command{devCommand, startCommand, stopCommand, restartCommand, reloadCommand, deleteCommand, scaleCommand, runCommand}},
	{"look", "Look:", []func(*terminal) *cobra.Command{psCommand, infoCommand, logsCommand, eventsCommand, checkCommand}},
	{"talk", "Talk to processes:", []func(*terminal) *cobra.Command{attachCommand, sendCommand, signalCommand, configCommand}},
	{"muster", "Muster itself:", []func(*terminal) *cobra.Command{daemonCommand, startupCommand, unstartupCommand, versionCommand}},
}

// finish makes every command's argument errors usage errors that say what to
// do.
func finish(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return usageError{fmt.Errorf("%w; try %s --help", err, c.CommandPath())}
			}
			return nil
		}
	}
	for _, child := range c.Commands() {
		finish(child)
	}
}

// home finds MUSTER_HOME once.
func (t *terminal) home() (home.Home, error) {
	if t.homeFound != "" {
		return t.homeFound, nil
	}
	h, err := home.Find()
	t.homeFound = h
	return h, err
}

// client returns the client of the Muster of this home, running or not.
func (t *terminal) client() (*api.Client, error) {
	if t.clientFound != nil {
		return t.clientFound, nil
	}
	h, err := t.home()
	if err == nil {
		err = h.Validate()
	}
	if err != nil {
		return nil, err
	}
	t.clientFound = api.NewClient(h)
	return t.clientFound, nil
}

// target is what args name, seen from here.
func (t *terminal) target(args []string) api.Target {
	dir, _ := os.Getwd()
	if args == nil {
		args = []string{}
	}
	return api.Target{Names: args, App: t.app, Dir: dir}
}
