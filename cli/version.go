package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"muster"
)

func versionCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		Long:    "Version prints this program's version, and that of the Muster that runs, if one does.",
		Example: "  muster version",
		RunE: func(c *cobra.Command, _ []string) error {
			running := ""
			if client, err := t.client(); err == nil {
				if s, err := client.Status(c.Context()); err == nil {
					running = s.Version
				}
			}
			if t.json {
				return t.printJSON(map[string]string{"version": muster.Version, "go": runtime.Version(), "running": running})
			}
			fmt.Fprintf(t.out, "muster %s (%s, %s/%s)\n", muster.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			if running != "" && running != muster.Version {
				fmt.Fprintf(t.out, "running: %s; muster daemon upgrade replaces it\n", running)
			}
			return nil
		},
	}
}
