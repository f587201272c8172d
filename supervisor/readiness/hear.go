package readiness

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"muster"
)

// hear waits for what the process itself has to say.
func hear(ctx context.Context, p muster.Probe, t Target) error {
	switch p.Kind {
	case muster.ProbeLog:
		return hearLine(ctx, p.Pattern, t.Lines)
	case muster.ProbeMessage:
		return hearNotice(ctx, t.Notified, `the message "ready" was not sent`)
	}
	return hearNotice(ctx, t.Notified, "READY=1 was not sent")
}

func hearNotice(ctx context.Context, notified <-chan struct{}, complaint string) error {
	select {
	case <-notified:
		return nil
	case <-ctx.Done():
		return gaveUp(ctx, errors.New(complaint))
	}
}

// hearLine reads lines until one matches. They are matched without the colours
// of a terminal, which a pattern can not foresee.
func hearLine(ctx context.Context, pattern string, lines <-chan []byte) error {
	matcher, err := regexp.Compile(pattern)
	if err != nil {
		return muster.Errorf(muster.CodeInvalid, "", "the pattern of the log probe: %w", err)
	}
	for heard := 0; ; heard++ {
		select {
		case line, open := <-lines:
			if !open {
				return fmt.Errorf("its output ended and %w", noMatch(pattern, heard))
			}
			if matcher.Match(escape.ReplaceAll(line, nil)) {
				return nil
			}
		case <-ctx.Done():
			return gaveUp(ctx, noMatch(pattern, heard))
		}
	}
}

func noMatch(pattern string, heard int) error {
	wrote := fmt.Sprintf("%d lines", heard)
	switch heard {
	case 0:
		wrote = "nothing"
	case 1:
		wrote = "one line"
	}
	return fmt.Errorf("no line matched /%s/; it wrote %s", pattern, wrote)
}

// escape matches the control sequences of a terminal: ESC [ ... letter.
var escape = regexp.MustCompile(`\x1b\[[0-9;?]*[ -/]*[@-~]`)
