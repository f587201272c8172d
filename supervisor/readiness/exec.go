package readiness

import (
	"context"
	"fmt"

	"muster"
)

// execute asks a command; exit code 0 is good.
func execute(command muster.Command, t Target) (asker, error) {
	if command.IsZero() {
		return nil, muster.Errorf(muster.CodeInvalid, `command = "bin/check"`, "the exec probe has no command")
	}
	if t.Run == nil {
		return nil, muster.Errorf(muster.CodeInternal, "", "the exec probe has nothing to run its command with")
	}
	return func(ctx context.Context) error {
		code, err := t.Run(ctx, command)
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("%s did not end in time", command)
		case err != nil:
			return fmt.Errorf("run %s: %w", command, err)
		case code != 0:
			return fmt.Errorf("%s ended with code %d", command, code)
		}
		return nil
	}, nil
}
