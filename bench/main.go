// Command bench measures Muster on this machine, here and now, and prints each
// figure beside its raw limit or its peer's figure from the same run. It judges
// nothing: a slow machine gives slow numbers, and only what does not work at
// all makes it exit with 1.
//
//	go run ./bench                 everything
//	go run ./bench -only logs,ps   single rows
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// rows are in the order of the table. Each may add several lines to it.
var rows = []struct {
	name    string
	measure func(*bench) error
}{
	{"size", (*bench).size},
	{"memory", (*bench).memory},
	{"start", (*bench).start},
	{"restart", (*bench).restart},
	{"logs", (*bench).logs},
	{"ps", (*bench).roundTrip},
	{"idle", (*bench).idle},
}

// A bench is one run.
type bench struct {
	binary string // muster
	self   string // this program, which plays the measured processes too
	dir    string // temporary
	bytes  int64
	table  table
	peer   pm2
}

func main() {
	if len(os.Args) > 1 && plays[os.Args[1]] != nil {
		plays[os.Args[1]](os.Args[2:])
		return
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	only := flag.String("only", "", "comma-separated rows: "+strings.Join(rowNames(), ", "))
	size := flag.Int64("bytes", logBytes, "bytes that the logs row writes")
	binary := flag.String("muster", "", "the muster to measure (default: built from this source)")
	flag.Parse()
	chosen, err := choose(*only)
	if err != nil {
		return err
	}
	b := &bench{bytes: *size, binary: *binary}
	if b.dir, err = os.MkdirTemp("", "mb"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if err := b.prepare(); err != nil {
		return err
	}
	defer b.peer.end()
	fmt.Println(machine())
	if b.peer.missing != "" {
		fmt.Println("PM2 is missing, its figures with it: " + b.peer.missing)
	}
	return b.measure(chosen)
}

// measure goes on after a row that failed: the others are still worth knowing.
func (b *bench) measure(chosen []string) error {
	b.table.add("WHAT", "MUSTER", "BESIDE IT", "BAR")
	var failed []string
	for _, r := range rows {
		if !slices.Contains(chosen, r.name) {
			continue
		}
		began := time.Now()
		fmt.Fprintf(os.Stderr, "measuring %s ...", r.name)
		if err := r.measure(b); err != nil {
			fmt.Fprintf(os.Stderr, " %v\n", err)
			failed = append(failed, r.name)
			continue
		}
		fmt.Fprintf(os.Stderr, " %.0f s\n", time.Since(began).Seconds())
	}
	fmt.Println()
	fmt.Print(b.table.String())
	if len(failed) > 0 {
		return fmt.Errorf("could not measure %s", strings.Join(failed, ", "))
	}
	return nil
}

func rowNames() (names []string) {
	for _, r := range rows {
		names = append(names, r.name)
	}
	return names
}

func choose(only string) ([]string, error) {
	if only == "" {
		return rowNames(), nil
	}
	chosen := strings.Split(only, ",")
	for _, name := range chosen {
		if !slices.Contains(rowNames(), name) {
			return nil, fmt.Errorf("there is no row %q; try %s", name, strings.Join(rowNames(), ", "))
		}
	}
	return chosen, nil
}
