package cli

import (
	"context"
	"fmt"
	"io"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"muster"
	"muster/api"
	"muster/manifest/dotenv"
)

func configCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "config [set K=V... | unset K... | get K]",
		Short: "Config vars: an app's environment, set at run time",
		Long: `Config vars are environment variables of an app that Muster keeps (readable by you
only). They win over .env and the manifest. A change restarts the app's processes
one after the other. set - reads standard input as .env is read, which keeps
secrets out of your shell's history and out of process lists.`,
		Example: "  muster config\n  muster config set DATABASE_URL=postgres://... LOG_LEVEL=debug\n  muster config unset LOG_LEVEL\n  muster config get DATABASE_URL\n  muster config set - < secrets.txt",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return t.printConfig(c) },
	}
	c.AddCommand(
		&cobra.Command{Use: "set K=V...", Short: "Set config vars", Args: cobra.MinimumNArgs(1), RunE: t.configSet},
		&cobra.Command{Use: "unset K...", Short: "Remove config vars", Args: cobra.MinimumNArgs(1), RunE: t.configUnset},
		&cobra.Command{Use: "get K", Short: "Print one value", Args: cobra.ExactArgs(1), RunE: t.configGet},
	)
	return c
}

func (t *terminal) askConfig(c *cobra.Command) (api.Config, error) {
	client, err := t.client()
	if err != nil {
		return api.Config{}, err
	}
	return client.Config(c.Context(), t.target(nil))
}

func (t *terminal) printConfig(c *cobra.Command) error {
	config, err := t.askConfig(c)
	if err != nil {
		return err
	}
	if t.json {
		return t.printJSON(config.Config)
	}
	var names []string
	for name := range config.Config {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Fprintf(t.out, "%s=%s\n", name, dotenv.Quote(config.Config[name]))
	}
	return nil
}

func (t *terminal) configGet(c *cobra.Command, args []string) error {
	config, err := t.askConfig(c)
	if err != nil {
		return err
	}
	value, ok := config.Config[args[0]]
	if !ok {
		return muster.Errorf(muster.CodeNotFound, "muster config, which lists them", "%s has no config var %s", config.App, args[0])
	}
	if t.json {
		return t.printJSON(value)
	}
	_, err = fmt.Fprintln(t.out, value)
	return err
}

func (t *terminal) configSet(c *cobra.Command, args []string) error {
	set, err := t.readConfig(args)
	if err != nil {
		return err
	}
	for name, value := range set {
		if !utf8.ValidString(value) { // JSON would change it without a word
			return muster.Errorf(muster.CodeInvalid, "encoding it, for example as base64", "the value of %s is not UTF-8 text", name)
		}
	}
	return t.changeConfig(c, api.ConfigRequest{Target: t.target(nil), Set: set}, "set")
}

// readConfig reads NAME=value arguments, or with "-" standard input as .env is
// read: what config prints.
func (t *terminal) readConfig(args []string) (muster.Env, error) {
	if len(args) == 1 && args[0] == "-" {
		data, err := io.ReadAll(io.LimitReader(t.in, 1<<20))
		if err != nil {
			return nil, err
		}
		set, _, warnings, err := dotenv.Parse("standard input", data, nil)
		t.warn(warnings)
		if err == nil && len(set) == 0 {
			err = usage("NAME=value lines", "standard input sets no config var")
		}
		return set, err
	}
	set := muster.Env{}
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if !ok || !muster.ValidEnvName(name) {
			return nil, usage("NAME=value", "%q does not set a config var", name)
		}
		set[name] = value
	}
	return set, nil
}

func (t *terminal) configUnset(c *cobra.Command, args []string) error {
	return t.changeConfig(c, api.ConfigRequest{Target: t.target(nil), Unset: args}, "unset")
}

func (t *terminal) changeConfig(c *cobra.Command, r api.ConfigRequest, done string) error {
	return t.operation(c, done, func(ctx context.Context, client *api.Client) (api.Result, error) {
		return client.SetConfig(ctx, r, t.tell)
	})
}
