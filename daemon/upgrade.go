package daemon

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"muster"
	"muster/keeper"
)

// Upgrade makes the keeper, and with it the daemon, become another binary:
// no process ends, no socket closes, no log line is lost. On success this
// daemon is ended by the new keeper.
func (d *Daemon) Upgrade(ctx context.Context, binary string) error {
	path, err := filepath.EvalSymlinks(binary)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return muster.Errorf(muster.CodeInvalid, "the path of a muster binary", "upgrade to %s: %w", binary, err)
	}
	// The new binary proves first that it starts and reads this keeper's
	// state: after the exec there is no way back.
	answer, err := d.engine.Output(ctx, []string{path, "keeper", "--can-resume"}, string(d.Home), os.Environ())
	if said := strings.TrimSpace(answer); err != nil || said != keeper.CanResume() {
		if err != nil {
			said = err.Error()
		}
		return muster.Errorf(muster.CodeFailed, "muster daemon stop, then muster start with it, if an interruption is acceptable",
			"%s can not take over from this Muster (asked, it says %q)", path, said)
	}
	d.say(muster.EventDaemon, "Muster is upgraded to "+path)
	d.saver.write()
	if err := d.keeper.Upgrade(path); err != nil && !strings.Contains(err.Error(), "the keeper is gone") {
		return muster.Errorf(muster.CodeFailed, "", "upgrade: %w", err)
	}
	return nil
}
