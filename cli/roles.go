package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/spf13/cobra"

	"muster"
	"muster/api"
	"muster/daemon"
	"muster/keeper"
)

// keeperCommand is the hidden role that is the parent of everything.
func keeperCommand(t *terminal) *cobra.Command {
	var resume int
	var config string
	var canResume bool
	c := &cobra.Command{
		Use: "keeper", Hidden: true, Args: cobra.NoArgs,
		Short: "Be the parent of all processes (started by muster start)",
	}
	c.RunE = func(*cobra.Command, []string) error {
		if canResume {
			fmt.Fprintln(t.out, keeper.CanResume())
			return nil
		}
		var state *os.File
		var kc keeper.Config
		if config != "" {
			if err := json.Unmarshal([]byte(config), &kc); err != nil {
				return err
			}
			state = os.NewFile(uintptr(resume), "state")
		} else if err := t.fillKeeperConfig(&kc); err != nil {
			return err
		}
		return keeper.Serve(kc, state)
	}
	c.Flags().IntVar(&resume, "resume", 0, "descriptor of the state to resume")
	c.Flags().StringVar(&config, "config", "", "configuration to resume with")
	c.Flags().BoolVar(&canResume, "can-resume", false, "print which state can be resumed")
	return c
}

func (t *terminal) fillKeeperConfig(kc *keeper.Config) error {
	h, err := t.home()
	if err != nil {
		return err
	}
	if err := h.Prepare(); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	*kc = keeper.Config{Home: string(h), Binary: self, DaemonArgs: []string{"daemon", "serve"}}
	return nil
}

// keeperSocket is the descriptor a daemon is born with.
const keeperSocket = 3

// serveDaemon is the daemon role.
func (t *terminal) serveDaemon() error {
	h, err := t.home()
	if err != nil {
		return err
	}
	if !isSocket(keeperSocket) {
		return muster.Errorf(muster.CodeUsage, "muster start", "the daemon is started by the keeper, not by hand")
	}
	d, err := daemon.Open(h, os.NewFile(keeperSocket, "keeper"))
	if err == nil {
		err = d.Run(context.Background(), func(ctx context.Context, l net.Listener) error { return api.Serve(ctx, l, d) })
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		d.Fatal(err)
		return err
	}
	return nil
}
