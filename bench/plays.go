package main

import (
	"bufio"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// plays are the measured processes. This program plays them itself, so that
// nothing need be installed.
var plays = map[string]func(args []string){
	"play-stamp": stamp,
	"play-write": writeLines,
}

// stamp appends its pid and the moment it runs to FILE, and waits.
func stamp(args []string) {
	now := time.Now().UnixNano()
	f, err := os.OpenFile(args[0], os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Fprintf(f, "%d %d\n", os.Getpid(), now)
	f.Close()
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	<-asked
}

// lineText makes a line 100 bytes with its number and newline.
var lineText = " " + strings.Repeat("all work and no play ", 5)[:100-numberWidth-2] + "\n"

const numberWidth = 12

// writeLines writes BYTES of numbered lines to stdout as fast as it can, after
// leaving the moment it began in FILE.
func writeLines(args []string) {
	total, err := strconv.ParseInt(args[0], 10, 64)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := os.WriteFile(args[1], []byte(strconv.FormatInt(time.Now().UnixNano(), 10)), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	out := bufio.NewWriterSize(os.Stdout, 64<<10)
	line := []byte(strings.Repeat("0", numberWidth) + lineText)
	for n := int64(0); n < linesIn(total); n++ {
		count(line[:numberWidth])
		if _, err := out.Write(line); err != nil {
			os.Exit(1)
		}
	}
	if out.Flush() != nil {
		os.Exit(1)
	}
}

// count adds one to a decimal number in place: formatting each would be what is
// measured.
func count(digits []byte) {
	for i := len(digits) - 1; i >= 0; i-- {
		if digits[i]++; digits[i] <= '9' {
			return
		}
		digits[i] = '0'
	}
}

func linesIn(bytes int64) int64 { return bytes / int64(numberWidth+len(lineText)) }
