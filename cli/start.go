package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"muster"
	"muster/api"
	"muster/manifest"
)

// startFlags are what start and check understand of an app.
type startFlags struct {
	file      string
	name      string
	instances string
	formation string
	watch     bool
	port      int
	dryRun    bool
}

func startCommand(t *terminal) *cobra.Command {
	var f startFlags
	c := &cobra.Command{
		Use:   "start [DIR | FILE | SCRIPT | APP] [-- ARGS...]",
		Short: "Start an app, or update it to what its files now say",
		Long: `Start brings up Muster if needed, reads what the app says of itself, starts
what is missing, replaces what changed, stops what was removed, and returns when
every process is up or one has failed. What has not changed is not touched.

Without an argument the app is the current directory's. A script is run by the
interpreter of its extension (.js .mjs .cjs .ts node, .py python3, .sh bash,
.rb ruby, .php php, .pl perl); what follows -- are its arguments. The name of an
app that was stopped starts it again as it was.`,
		Example: `  muster start                      the Procfile (or muster.toml, package.json) here
  muster start server.js -i max     a script, one process a CPU
  muster start api.py --name api -- --verbose
  muster start --dry-run            only print what would change
  muster start shop                 an app that was stopped`,
		Args: cobra.ArbitraryArgs,
	}
	flags := c.Flags()
	flags.StringVarP(&f.file, "file", "f", "", "read this manifest `FILE`")
	flags.StringVar(&f.name, "name", "", "call the app `NAME` (default: from the manifest, else the directory)")
	flags.StringVarP(&f.instances, "instances", "i", "", "`N` processes of web (or the only type); max or 0: one a CPU")
	flags.StringVarP(&f.formation, "formation", "m", "", "how many of each type: `web=2,worker=1`")
	flags.BoolVar(&f.watch, "watch", false, "restart processes when files of the app change")
	flags.IntVarP(&f.port, "port", "p", 0, "the first `PORT` to hand out (default: .env, $PORT, or a free base from 5000)")
	flags.BoolVar(&f.dryRun, "dry-run", false, "print what would change, and change nothing")
	c.RunE = func(c *cobra.Command, args []string) error {
		args, rest := splitDash(c, args)
		if len(args) > 1 {
			return usage("-- before arguments of the program", "start takes one app; %q is too much", args[1])
		}
		if app, ok := t.knownApp(c.Context(), args, f); ok {
			return t.resume(c, app)
		}
		return t.start(c, f, args, rest)
	}
	return c
}

// splitDash separates what stands after --.
func splitDash(c *cobra.Command, args []string) (before, after []string) {
	if at := c.ArgsLenAtDash(); at >= 0 {
		return args[:at], args[at:]
	}
	return args, nil
}

// knownApp reports whether the argument names an app and no file.
func (t *terminal) knownApp(ctx context.Context, args []string, f startFlags) (string, bool) {
	name := ""
	switch {
	case len(args) == 1 && f.file == "":
		name = args[0]
	case len(args) == 0 && f.file == "" && t.app != "":
		name = t.app
	default:
		return "", false
	}
	if _, err := os.Stat(name); err == nil && t.app == "" {
		return "", false
	}
	client, err := t.client()
	if err != nil {
		return "", false
	}
	_, err = client.Processes(ctx, t.target([]string{name}))
	return name, err == nil
}

func (t *terminal) resume(c *cobra.Command, name string) error {
	return t.operation(c, name+" is up", func(ctx context.Context, client *api.Client) (api.Result, error) {
		return client.Resume(ctx, t.target([]string{name}), t.tell)
	})
}

func (t *terminal) start(c *cobra.Command, f startFlags, args, rest []string) error {
	loaded, err := t.load(f, args, rest, 0)
	if err != nil {
		return err
	}
	t.warn(loaded.Warnings)
	if onlyOneShots(loaded.App) {
		return muster.Errorf(muster.CodeInvalid, "a process type besides release and postdeploy", "%s: nothing to run", loaded.App.Source)
	}
	scale, err := scaleOf(loaded.App, f)
	if err != nil {
		return err
	}
	if f.watch {
		for i := range loaded.App.Types {
			loaded.App.Types[i].Watch.Enabled = true
		}
	}
	request := api.StartRequest{App: loaded.App, Environment: api.ShellEnvironment(os.Environ(), false), Scale: scale, DryRun: f.dryRun}
	if f.dryRun {
		return t.dryRun(c, request)
	}
	client, err := t.running(c.Context())
	if err != nil {
		return err
	}
	ctx, cancel := interruptible(c.Context())
	defer cancel()
	result, err := client.Start(ctx, request, t.tell)
	if ctx.Err() != nil {
		fmt.Fprintln(t.err, "muster: no longer waiting; Muster goes on with it (muster ps shows how far it is)")
		return exitError(130)
	}
	if err != nil {
		return err
	}
	return t.conclude(result, started(result))
}

// started is the last line of a start: what is up, and where to look.
func started(r api.Result) string {
	line := r.App + " is " + upSummary(r)
	for _, p := range r.Processes {
		if len(p.Ports) > 0 {
			line += fmt.Sprintf(" · http://localhost:%d", p.Ports[0])
			break
		}
	}
	return line
}

// dryRun asks a Muster that runs; one that does not would start everything.
func (t *terminal) dryRun(c *cobra.Command, request api.StartRequest) error {
	client, err := t.client()
	if err != nil {
		return err
	}
	if !client.Running(c.Context()) {
		for _, p := range request.App.Types {
			if !p.OneShot() {
				fmt.Fprintf(t.out, "+ %s: start %d\n", p.Name, countOf(p, request.Scale))
			}
		}
		return nil
	}
	result, err := client.Start(c.Context(), request, t.tell)
	if err != nil {
		return err
	}
	if t.json {
		return t.printJSON(result)
	}
	t.tell(api.Progress{Changes: result.Changes})
	return nil
}

func countOf(p muster.ProcessType, scale map[string]int) int {
	if n, ok := scale[p.Name]; ok {
		return n
	}
	return p.Scale.Count()
}

// load reads the app the arguments mean. portDefault is the base where nobody
// names one; 0 lets Muster choose.
func (t *terminal) load(f startFlags, args, rest []string, portDefault int) (*manifest.Loaded, error) {
	name := f.name
	if name == "" {
		name = t.app
	}
	options := manifest.Options{Lookup: os.LookupEnv, Name: name}
	loaded, err := t.loadManifest(f, args, rest, options)
	if err != nil {
		return nil, err
	}
	base, err := portBase(f.port, loaded.App, portDefault)
	if err != nil {
		return nil, err
	}
	loaded.App.PortBase = base
	return loaded, nil
}

func (t *terminal) loadManifest(f startFlags, args, rest []string, o manifest.Options) (*manifest.Loaded, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	if f.file != "" {
		if len(args) > 0 {
			return nil, usage("one of the two", "-f %s and %q both name an app", f.file, args[0])
		}
		return manifest.Load(f.file, o)
	}
	if len(args) == 0 {
		return manifest.Load(dir, o)
	}
	info, err := os.Stat(args[0])
	switch {
	case err == nil && info.IsDir():
		return manifest.Load(args[0], o)
	case err == nil && isManifest(args[0]):
		return manifest.Load(args[0], o)
	case err == nil:
		return manifest.FromScript(dir, args[0], rest, o)
	}
	return manifest.FromCommand(dir, args[0], rest, o)
}

// isManifest tells a file that describes an app from a script to run.
func isManifest(path string) bool {
	base := filepath.Base(path)
	return strings.HasPrefix(base, "Procfile") || strings.HasSuffix(base, ".toml") || base == "package.json" ||
		strings.HasSuffix(base, ".json") || strings.HasSuffix(base, ".yaml") || strings.HasSuffix(base, ".yml")
}

// portBase follows foreman: -p, then PORT in .env, then PORT around us, then
// the default. muster.toml's own port stands between.
func portBase(flag int, a *muster.App, fallback int) (int, error) {
	switch {
	case flag != 0:
		return checkPort(flag, "-p")
	case a.PortBase != 0:
		return a.PortBase, nil
	}
	for _, source := range []struct{ name, text string }{{"PORT in .env", a.Env["PORT"]}, {"PORT in the environment", os.Getenv("PORT")}} {
		if source.text == "" {
			continue
		}
		port, err := strconv.Atoi(source.text)
		if err != nil {
			return 0, usage("a number from 1 to 65535", "%s is %q, not a port", source.name, source.text)
		}
		return checkPort(port, source.name)
	}
	return fallback, nil
}

func checkPort(port int, source string) (int, error) {
	if port < 0 || port > 65535 {
		return 0, usage("a number from 1 to 65535", "%s: %d is not a port", source, port)
	}
	return port, nil
}

// scaleOf reads -i and -m.
func scaleOf(a *muster.App, f startFlags) (map[string]int, error) {
	scale := map[string]int{}
	if f.formation != "" {
		changes, err := parseScale(strings.Split(f.formation, ","))
		if err != nil {
			return nil, err
		}
		for _, c := range changes {
			if a.Type(c.Type) == nil || c.Op != "=" {
				return nil, usage("one of "+strings.Join(a.TypeNames(), ", "), "-m: there is no process type %q", c.Type)
			}
			scale[c.Type] = c.N
		}
	}
	if f.instances == "" {
		return scale, nil
	}
	n, err := instances(f.instances)
	if err != nil {
		return nil, err
	}
	typ := "web"
	if a.Type(typ) == nil {
		if typ = a.Types[0].Name; len(a.Types) > 1 {
			return nil, usage(fmt.Sprintf("-m %s=%d", typ, n), "-i scales web, and there is none among %s", strings.Join(a.TypeNames(), ", "))
		}
	}
	scale[typ] = n
	return scale, nil
}

func instances(text string) (int, error) {
	if text == "max" {
		return runtime.NumCPU(), nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > muster.MaxScale {
		return 0, usage(fmt.Sprintf("0 to %d, or max", muster.MaxScale), "-i %s is not a number of processes", text)
	}
	if n == 0 { // PM2's way to say max
		return runtime.NumCPU(), nil
	}
	return n, nil
}

// warn prints what a manifest's reader found doubtful.
func (t *terminal) warn(warnings []*muster.Error) {
	for _, w := range warnings {
		fmt.Fprintln(t.err, "warning: "+w.Error())
	}
}

func onlyOneShots(a *muster.App) bool {
	for _, t := range a.Types {
		if !t.OneShot() {
			return false
		}
	}
	return true
}
