package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"muster"
	"muster/api"
)

// A checkedType is what check says of a process type.
type checkedType struct {
	Name        string             `json:"name"`
	Command     string             `json:"command"` // as it was written
	Exec        []string           `json:"exec"`    // what is executed in the end
	Cwd         string             `json:"cwd"`
	Scale       int                `json:"scale"`
	Port        int                `json:"port"`        // of the first process; 0: no fixed one
	Environment []string           `json:"environment"` // names, without the shell's own
	Runs        bool               `json:"runs"`        // false for release and postdeploy
	Spec        muster.ProcessType `json:"spec"`
}

// A checked is what check says of an app.
type checked struct {
	App      string        `json:"app"`
	Dir      string        `json:"dir"`
	Source   string        `json:"source"`
	Files    []string      `json:"files"`
	Types    []checkedType `json:"types"`
	Warnings []string      `json:"warnings"`
}

func checkCommand(t *terminal) *cobra.Command {
	var f startFlags
	c := &cobra.Command{
		Use:   "check [FILE | DIR]",
		Short: "Validate a manifest and print the formation it means",
		Long: `Check reads what an app says of itself the way start does, and prints what was
understood: every process type's final command, directory, scale, PORT and the names
of its environment variables (never their values). It starts nothing. What is wrong
is reported as file:line:col, with a way out, and the exit code is 1.`,
		Example: "  muster check\n  muster check Procfile.dev --json",
		Args:    cobra.MaximumNArgs(1),
	}
	c.Flags().StringVarP(&f.file, "file", "f", "", "read this manifest `FILE`")
	c.RunE = func(_ *cobra.Command, args []string) error {
		loaded, err := t.load(f, args, nil, defaultPort)
		if err != nil {
			return err
		}
		report := checked{App: loaded.App.Name, Dir: loaded.App.Dir, Source: loaded.App.Source, Files: loaded.Files, Warnings: []string{}}
		for _, w := range loaded.Warnings {
			report.Warnings = append(report.Warnings, w.Error())
		}
		for i := range loaded.App.Types {
			report.Types = append(report.Types, checkType(loaded.App, i))
		}
		if t.json {
			return t.printJSON(report)
		}
		return t.printCheck(report)
	}
	return c
}

func checkType(a *muster.App, i int) checkedType {
	p := a.Types[i]
	spec := p
	spec.Env = nil
	return checkedType{
		Name: p.Name, Command: p.Command.String(), Exec: api.FinalCommand(p), Cwd: p.Cwd, Scale: p.Scale.Count(),
		Port: api.PortOf(a, i, 1), Environment: api.EnvironmentNames(a, &p, nil), Runs: !p.OneShot(), Spec: spec,
	}
}

func (t *terminal) printCheck(r checked) error {
	fmt.Fprintf(t.out, "%s  %s, from %s\n", t.paint(bold, r.App), r.Dir, r.Source)
	for _, p := range r.Types {
		head := fmt.Sprintf("%s=%d", p.Name, p.Scale)
		switch {
		case !p.Runs:
			head = p.Name + " (not part of the formation)"
		case p.Port > 0:
			head += fmt.Sprintf("  PORT=%d", p.Port)
		}
		fmt.Fprintf(t.out, "\n%s\n", t.paint(green, head))
		fmt.Fprintf(t.out, "  runs  %s\n", quoted(p.Exec))
		if p.Cwd != r.Dir {
			fmt.Fprintf(t.out, "  in    %s\n", p.Cwd)
		}
		fmt.Fprintf(t.out, "  env   %s\n", strings.Join(p.Environment, " "))
	}
	for _, w := range r.Warnings {
		fmt.Fprintln(t.err, "warning: "+w)
	}
	return nil
}

func quoted(words []string) string {
	return muster.Command{Argv: words}.String()
}
