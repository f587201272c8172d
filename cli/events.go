package cli

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"muster"
	"muster/api"
)

func eventsCommand(t *terminal) *cobra.Command {
	var follow bool
	var last int
	var since string
	c := &cobra.Command{
		Use:   "events [APP]",
		Short: "The journal: what happened, and why",
		Long: `Events prints the journal: every start, exit, restart and change with its cause.
It is kept on disk (the last 100,000 events).`,
		Example: "  muster events -f\n  muster events shop --since 1h\n  muster events --json -n 1000",
		Args:    cobra.MaximumNArgs(1),
	}
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on with the events that come")
	c.Flags().IntVarP(&last, "lines", "n", 100, "the last `N` events; -1: all")
	c.Flags().StringVar(&since, "since", "", "only events younger than this: 10m, 1h, or a `TIME`")
	c.RunE = func(c *cobra.Command, args []string) error {
		query, err := t.eventQuery(args, last, since, follow, c.Flags().Changed("lines"))
		if err != nil {
			return err
		}
		client, err := t.client()
		if err != nil {
			return err
		}
		ctx, cancel := interruptible(c.Context())
		defer cancel()
		seen := int64(0)
		for {
			err = client.Events(ctx, query, func(e muster.Event) error {
				seen = e.ID
				return t.printEvent(e)
			})
			switch {
			case ctx.Err() != nil:
				return nil
			case err == nil || !follow || !errors.Is(err, api.ErrStreamEnded) || !awaitMuster(ctx, client):
				return err
			}
			query.Del("last")
			query.Set("after", strconv.FormatInt(seen, 10))
		}
	}
	return c
}

func (t *terminal) eventQuery(args []string, last int, since string, follow, counted bool) (url.Values, error) {
	query := url.Values{}
	app := t.app
	if len(args) == 1 {
		app = args[0]
	}
	if app != "" {
		query.Set("app", app)
	}
	if last < -1 {
		return nil, usage("0 or more, or -1 for all", "-n %d is not a number of events", last)
	}
	at, err := ago(since, time.Now())
	if err != nil {
		return nil, err
	}
	if !at.IsZero() {
		query.Set("since", at.UTC().Format(time.RFC3339Nano))
	}
	if last >= 0 && (since == "" || counted) {
		query.Set("last", strconv.Itoa(last))
	}
	if follow {
		query.Set("follow", "1")
	}
	return query, nil
}

func (t *terminal) printEvent(e muster.Event) error {
	if t.json {
		return t.printJSONLine(e)
	}
	message := e.Message
	if e.App != "" && e.Slot > 0 {
		message = e.App + "/" + message
	}
	color := 0
	switch e.Kind {
	case muster.EventUp:
		color = green
	case muster.EventCrashed:
		color = red
	case muster.EventWarning:
		color = yellow
	}
	_, err := fmt.Fprintf(t.out, "%s  %s\n", t.paint(grey, e.At.Local().Format("2006-01-02 15:04:05.000")), t.paint(color, message))
	return err
}
