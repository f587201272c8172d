package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/spf13/cobra"

	"muster"
	"muster/api"
)

type logFlags struct {
	lines        int
	follow, tail bool
	since        string
	stream       string
	grep         string
	raw          bool
	times        bool
	heard        chan<- struct{} // told of every line; may be nil
}

func logsCommand(t *terminal) *cobra.Command {
	var f logFlags
	c := &cobra.Command{
		Use:     "logs [TARGET...]",
		Aliases: []string{"log"},
		Short:   "Print what processes wrote",
		Long: `Logs prints the last lines of processes, and with -f those that follow. A reader
that is too slow never holds a process up: it is told how many lines it missed.
The target muster is Muster's own log.

` + targetHelp,
		Example: "  muster logs -f web\n  muster logs -n 1000 --since 1h --grep 'timeout|refused'\n  muster logs --raw --stream out shop/worker.1 > worker.txt",
		Args:    cobra.ArbitraryArgs, ValidArgsFunction: t.completeTargets,
	}
	flags := c.Flags()
	flags.IntVarP(&f.lines, "lines", "n", 100, "the last `N` lines; -1: all")
	flags.IntVar(&f.lines, "num", 100, "the same, as Heroku spells it")
	_ = flags.MarkHidden("num")
	flags.BoolVarP(&f.follow, "follow", "f", false, "go on with the lines that come")
	flags.BoolVar(&f.tail, "tail", false, "the same, as Heroku spells it")
	flags.StringVar(&f.since, "since", "", "only lines younger than this: 90s, 10m, 1h, 2d, or a `TIME`")
	flags.StringVar(&f.stream, "stream", "", "only `out` or err")
	flags.StringVar(&f.grep, "grep", "", "only lines that match this regular expression (`RE`2)")
	flags.BoolVar(&f.raw, "raw", false, "the lines as they were written, nothing before them")
	flags.BoolVarP(&f.times, "timestamps", "t", false, "the time before each line")
	c.RunE = func(c *cobra.Command, args []string) error {
		request, err := t.logRequest(f, args, c.Flags().Changed("lines") || c.Flags().Changed("num"))
		if err != nil {
			return err
		}
		client, err := t.client()
		if err != nil {
			return err
		}
		ctx, cancel := interruptible(c.Context())
		defer cancel()
		return t.printLogs(ctx, client, request, f)
	}
	return c
}

func (t *terminal) logRequest(f logFlags, args []string, counted bool) (api.LogRequest, error) {
	r := api.LogRequest{Target: t.target(args), Last: f.lines, Follow: f.follow || f.tail, Grep: f.grep}
	switch f.stream {
	case "":
	case "out", "stdout":
		r.Stream = muster.Stdout
	case "err", "stderr":
		r.Stream = muster.Stderr
	default:
		return r, usage("out or err", "--stream %s is no stream", f.stream)
	}
	since, err := ago(f.since, time.Now())
	r.Since = since
	if f.since != "" && !counted {
		r.Last = -1
	}
	if f.lines < -1 {
		return r, usage("0 or more, or -1 for all", "-n %d is not a number of lines", f.lines)
	}
	return r, err
}

// printLogs prints until the stream ends. When the daemon is replaced in the
// middle of following, it goes on after the last line it saw.
func (t *terminal) printLogs(ctx context.Context, client *api.Client, r api.LogRequest, f logFlags) error {
	p := &logPrinter{terminal: t, flags: f, out: newLineBuffer(t.out, r.Follow)}
	defer p.out.flush()
	for {
		err := client.Logs(ctx, r, p.print)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil || !r.Follow || !errors.Is(err, api.ErrStreamEnded) || p.failed:
			return err
		}
		if !awaitMuster(ctx, client) {
			return err
		}
		if !p.last.IsZero() {
			r.Last, r.Since = -1, p.last.Add(1)
		} else {
			r.Last = 0
		}
	}
}

// awaitMuster waits for a daemon to answer again.
func awaitMuster(ctx context.Context, client *api.Client) bool {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		if client.Running(ctx) {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// A logPrinter shows lines the way the flags ask for.
type logPrinter struct {
	terminal *terminal
	flags    logFlags
	out      *lineBuffer
	last     time.Time
	open     string // the process and stream of a line that has not ended
	failed   bool   // writing failed: nobody reads
}

func (p *logPrinter) print(l api.LogLine) error {
	p.last = l.At
	select {
	case p.flags.heard <- struct{}{}:
	default:
	}
	err := p.show(l)
	p.failed = p.failed || err != nil
	return err
}

func (p *logPrinter) show(l api.LogLine) error {
	if p.terminal.json {
		return p.terminal.printJSONLine(l)
	}
	if l.Missed > 0 {
		notice := fmt.Sprintf("muster: %d lines of %s missed here\n", l.Missed, l.Name)
		return p.out.write([]byte(notice))
	}
	var b bytes.Buffer
	who := l.App + "/" + l.Name + string(l.Stream)
	if p.open != "" && p.open != who {
		b.WriteByte('\n')
	}
	if !l.Continued || p.open != who {
		p.prefix(&b, l)
	}
	b.Write(l.Raw())
	p.open = who
	if !l.Partial {
		b.WriteByte('\n')
		p.open = ""
	}
	return p.out.write(b.Bytes())
}

func (p *logPrinter) prefix(b *bytes.Buffer, l api.LogLine) {
	if p.flags.times {
		b.WriteString(l.At.Local().Format("2006-01-02T15:04:05.000 "))
	}
	if p.flags.raw {
		return
	}
	h := fnv.New32a()
	h.Write([]byte(l.Name))
	b.WriteString(p.terminal.paint(logColors[h.Sum32()%uint32(len(logColors))], l.App+"/"+l.Name))
	mark := " | "
	if l.Stream == muster.Stderr {
		mark = p.terminal.paint(red, " ! ")
	}
	b.WriteString(mark)
}

var logColors = []int{36, 33, 32, 35, 34, 96, 93, 92, 95, 94}
