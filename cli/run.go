package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/creack/pty"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"muster"
	"muster/api"
)

func runCommand(t *terminal) *cobra.Command {
	var typ string
	var noTTY bool
	c := &cobra.Command{
		Use:   "run [--type TYPE] CMD [ARGS...]",
		Short: "Run a one-off command in an app's surroundings",
		Long: `Run starts a command with the app's environment and directory, on your terminal,
and exits with its code (128+n for a signal). It is never restarted, and ends when
you go. One argument is a command line for the shell; several are a program and its
arguments, which no shell sees. The name of a process type runs its command, with
what follows added to it, as Heroku does.`,
		Example: "  muster run bash\n  muster run -a shop -- node scripts/migrate.js --dry-run\n  echo 'select 1' | muster run 'psql $DATABASE_URL'",
		Args:    cobra.MinimumNArgs(1),
	}
	c.Flags().SetInterspersed(false)
	c.Flags().StringVar(&typ, "type", "", "with the environment and directory of this process `TYPE`")
	c.Flags().BoolVar(&noTTY, "no-tty", false, "no terminal for the command, even if there is one")
	c.RunE = func(c *cobra.Command, args []string) error {
		client, err := t.running(c.Context())
		if err != nil {
			return err
		}
		request := api.RunRequest{Target: t.target(nil), Type: typ, Command: runLine(args), Env: muster.Env{}}
		for _, name := range []string{"TERM", "COLORTERM", "LANG", "COLUMNS", "LINES"} {
			if value, ok := os.LookupEnv(name); ok {
				request.Env[name] = value
			}
		}
		exit, err := t.run(c, client, request, !noTTY && isTerminal(os.Stdin) && isTerminal(os.Stdout))
		var failed *muster.Error
		if errors.As(err, &failed) && failed.Code == muster.CodeFailed { // as a shell would put it
			fmt.Fprintln(t.err, "muster:", err)
			return exitError(127)
		}
		if err != nil {
			return err
		}
		return exitOf(exit)
	}
	return c
}

func runLine(args []string) muster.Command {
	if len(args) == 1 {
		return muster.Command{Shell: args[0]}
	}
	return muster.Command{Argv: args}
}

func exitOf(exit muster.Exit) error {
	code := exit.ShellCode(func(name string) int {
		n, _ := muster.SignalNumber(name)
		return int(n)
	})
	if code == 0 {
		return nil
	}
	return exitError(code)
}

// run starts the one-off on our own descriptors, or on a new terminal that we
// stand between.
func (t *terminal) run(c *cobra.Command, client *api.Client, r api.RunRequest, tty bool) (muster.Exit, error) {
	if !tty {
		var slot muster.Slot
		stop := passSignals(func(sig syscall.Signal) {
			request := api.SignalRequest{Target: api.Target{Names: []string{slot.String()}}, Signal: muster.SignalName(sig)}
			if _, err := client.Signal(c.Context(), request); err != nil {
				fmt.Fprintln(t.err, "muster: pass the signal on:", err)
			}
		})
		defer stop()
		return client.Run(c.Context(), r, [3]*os.File{os.Stdin, os.Stdout, os.Stderr}, func(s muster.Slot) { slot = s })
	}
	ours, theirs, err := pty.Open()
	if err != nil {
		return muster.Exit{}, fmt.Errorf("open a terminal for the command: %w", err)
	}
	defer ours.Close()
	_ = pty.InheritSize(os.Stdin, ours)
	stopResizing := followSize(ours)
	defer stopResizing()
	state, err := term.MakeRaw(int(os.Stdin.Fd()))
	if err != nil {
		theirs.Close()
		return muster.Exit{}, err
	}
	defer term.Restore(int(os.Stdin.Fd()), state)
	go func() { _, _ = io.Copy(ours, os.Stdin) }() // ends with the program
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		_, err := io.Copy(os.Stdout, ours)
		if err != nil && !errors.Is(err, syscall.EIO) { // EIO: nobody has the other end any more
			fmt.Fprintf(t.err, "muster: %v\r\n", err)
		}
	}()
	r.Terminal = true
	exit, err := client.Run(c.Context(), r, [3]*os.File{theirs, theirs, theirs}, func(muster.Slot) { theirs.Close() })
	if err != nil {
		theirs.Close()
		return exit, err
	}
	<-shown
	return exit, nil
}

// followSize keeps a terminal as large as ours.
func followSize(ours *os.File) (stop func()) {
	resized := make(chan os.Signal, 1)
	signal.Notify(resized, syscall.SIGWINCH)
	go func() {
		for range resized {
			_ = pty.InheritSize(os.Stdin, ours)
		}
	}()
	return func() { signal.Stop(resized); close(resized) }
}

// passSignals passes on what we are sent.
func passSignals(pass func(syscall.Signal)) (stop func()) {
	caught := make(chan os.Signal, 4)
	signal.Notify(caught, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2)
	go func() {
		for sig := range caught {
			pass(sig.(syscall.Signal))
		}
	}()
	return func() { signal.Stop(caught); close(caught) }
}
