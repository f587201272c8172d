package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Reference is docs/cli.md: every command's help, in the order of the help's
// table of contents. A test fails when the file and the code differ.
func Reference() string {
	root := newRoot(&terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr})
	var b strings.Builder
	b.WriteString("# Commands\n\n<!-- made from the help texts in cli/ by `make docs`; edit those -->\n\n")
	b.WriteString(root.Long + "\n\n```\n" + root.Example + "\n```\n\n")
	b.WriteString(exitCodeHelp + "\n\nOptions of every command:\n\n" + flagTable(root.PersistentFlags()) + "\n")
	for _, group := range root.Groups() {
		fmt.Fprintf(&b, "## %s\n\n", strings.TrimSuffix(group.Title, ":"))
		for _, c := range root.Commands() {
			if c.GroupID == group.ID {
				document(&b, c, 3)
			}
		}
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

const exitCodeHelp = `Exit codes: 0 done, 1 failed, 2 wrong usage; dev and run exit with the code of the
process (128+n for signal n). Errors go to standard error: what failed, where, and
what to try.`

func document(b *strings.Builder, c *cobra.Command, level int) {
	fmt.Fprintf(b, "%s muster %s\n\n", strings.Repeat("#", level), strings.TrimPrefix(c.UseLine(), "muster "))
	text := c.Long
	if text == "" {
		text = c.Short + "."
	}
	b.WriteString(text + "\n\n")
	if len(c.Aliases) > 0 {
		fmt.Fprintf(b, "Also spelled: %s.\n\n", strings.Join(c.Aliases, ", "))
	}
	if c.Example != "" {
		b.WriteString("```\n" + c.Example + "\n```\n\n")
	}
	if table := flagTable(c.NonInheritedFlags()); table != "" {
		b.WriteString(table + "\n")
	}
	for _, child := range c.Commands() {
		if !child.Hidden {
			document(b, child, level+1)
		}
	}
}

func flagTable(flags *pflag.FlagSet) string {
	var b strings.Builder
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		name := "`--" + f.Name
		if f.Shorthand != "" {
			name = "`-" + f.Shorthand + ", --" + f.Name
		}
		value, use := pflag.UnquoteUsage(f)
		if value != "" {
			name += " " + value
		}
		fmt.Fprintf(&b, "| %s` | %s |\n", name, use)
	})
	if b.Len() == 0 {
		return ""
	}
	return "| option | |\n| --- | --- |\n" + b.String()
}
