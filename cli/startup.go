package cli

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"muster"
)

// unitName is Muster's systemd unit.
const unitName = "muster.service"

func startupCommand(t *terminal) *cobra.Command {
	var printOnly bool
	c := &cobra.Command{
		Use:   "startup",
		Short: "Start Muster, and its apps, with the machine",
		Long: `Startup writes a systemd unit and enables it: a system unit when run as root, else a
unit of yours that lingers without a login. Apps need no saving: Muster starts what
ran when the machine went down.`,
		Example: "  sudo muster startup\n  muster startup --print",
		Args:    cobra.NoArgs,
	}
	c.Flags().BoolVar(&printOnly, "print", false, "print the unit and change nothing")
	c.RunE = func(*cobra.Command, []string) error {
		unit, err := t.unit()
		if err != nil {
			return err
		}
		if printOnly {
			fmt.Fprint(t.out, unit)
			return nil
		}
		return t.installUnit(unit)
	}
	return c
}

func unstartupCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use: "unstartup", Short: "No longer start Muster with the machine", Args: cobra.NoArgs,
		Long:    "Unstartup disables and removes the unit that startup wrote. What runs now runs on.",
		Example: "  sudo muster unstartup",
		RunE: func(*cobra.Command, []string) error {
			path, scope, err := unitPlace()
			if err != nil {
				return err
			}
			if _, err := os.Stat(path); err != nil {
				return muster.Errorf(muster.CodeNotFound, "", "there is no %s", path)
			}
			if err := t.systemctl(scope, "disable", unitName); err != nil {
				return err
			}
			if err := os.Remove(path); err != nil {
				return err
			}
			_ = t.systemctl(scope, "daemon-reload")
			fmt.Fprintf(t.out, "removed %s\n", path)
			return nil
		},
	}
}

// unit is the text of the systemd unit. The keeper is its main process and
// stops everything in order on TERM; Delegate lets it make cgroups.
func (t *terminal) unit() (string, error) {
	h, err := t.home()
	if err != nil {
		return "", err
	}
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	wanted := "multi-user.target"
	if os.Getuid() != 0 {
		wanted = "default.target"
	}
	return fmt.Sprintf(`[Unit]
Description=Muster, which runs applications as processes
After=network-online.target
Wants=network-online.target

[Service]
Type=exec
Environment="MUSTER_HOME=%s"
Environment="PATH=%s"
ExecStart=%s keeper
KillMode=mixed
TimeoutStopSec=120
Restart=on-failure
Delegate=yes
LimitNOFILE=1048576
OOMPolicy=continue

[Install]
WantedBy=%s
`, h, os.Getenv("PATH"), self, wanted), nil
}

func unitPlace() (path, scope string, err error) {
	if runtime.GOOS != "linux" {
		return "", "", muster.Errorf(muster.CodeFailed, "a launchd job of your own that runs: muster keeper", "startup knows systemd only, and this is %s", runtime.GOOS)
	}
	if os.Getuid() == 0 {
		return filepath.Join("/etc/systemd/system", unitName), "--system", nil
	}
	dir, err := os.UserConfigDir()
	return filepath.Join(dir, "systemd", "user", unitName), "--user", err
}

func (t *terminal) installUnit(unit string) error {
	path, scope, err := unitPlace()
	if err != nil {
		return err
	}
	if _, err := os.Stat("/run/systemd/system"); err != nil {
		return muster.Errorf(muster.CodeFailed, "muster startup --print, to see the unit, and having your init system run: muster keeper",
			"this machine does not run systemd")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(unit), 0o644); err != nil {
		return err
	}
	if err := t.systemctl(scope, "daemon-reload"); err != nil {
		return err
	}
	if err := t.systemctl(scope, "enable", unitName); err != nil {
		return err
	}
	if u, err := user.Current(); err == nil && scope == "--user" {
		_ = exec.Command("loginctl", "enable-linger", u.Username).Run()
	}
	fmt.Fprintf(t.out, "wrote and enabled %s\nA Muster that runs already goes on until the machine restarts; then systemd starts it.\n", path)
	return nil
}

func (t *terminal) systemctl(args ...string) error {
	out, err := exec.Command("systemctl", args...).CombinedOutput()
	if err != nil {
		return muster.Errorf(muster.CodeFailed, "", "systemctl %v: %w: %s", args, err, out)
	}
	return nil
}
