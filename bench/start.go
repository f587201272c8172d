package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const (
	startTypes  = 100
	startRounds = 5
)

// start is one start of many process types from one file until all are up,
// beside a loop that forks and executes the same commands.
func (b *bench) start() error {
	var procfile strings.Builder
	for n := range startTypes {
		fmt.Fprintf(&procfile, "sleeper%d: sleep 1000000\n", n)
	}
	i, err := b.boot(map[string]string{"Procfile": procfile.String()})
	if err != nil {
		return err
	}
	defer i.end()
	var ours, bare []time.Duration
	for round := range startRounds + 1 { // the first warms up
		took, err := i.startOnce()
		if err != nil {
			return err
		}
		raw, err := bareStart()
		if err != nil {
			return err
		}
		if round > 0 {
			ours, bare = append(ours, took), append(bare, raw)
		}
	}
	o, r := median(ours), median(bare)
	b.table.add(fmt.Sprintf("start of %d processes", startTypes), millis(o),
		fmt.Sprintf("fork/exec loop: %s (%.1fx)", millis(r), float64(o)/float64(r)), "<= 2x")
	return nil
}

func (i *instance) startOnce() (time.Duration, error) {
	began := time.Now()
	if _, err := i.do("start"); err != nil {
		return 0, err
	}
	took := time.Since(began)
	list, err := i.processes()
	if err != nil {
		return 0, err
	}
	if len(list) != startTypes {
		return 0, fmt.Errorf("%d processes of %d run", len(list), startTypes)
	}
	_, err = i.do("delete", "app")
	return took, err
}

// bareStart is the least a start can be: the same commands, the same shell.
func bareStart() (time.Duration, error) {
	shell, err := exec.LookPath("bash")
	if err != nil {
		shell = "/bin/sh"
	}
	var started []*os.Process
	defer func() {
		for _, p := range started {
			_ = p.Kill()
			_, _ = p.Wait()
		}
	}()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	began := time.Now()
	for range startTypes {
		p, err := os.StartProcess(shell, []string{shell, "-c", "exec sleep 1000000"}, &os.ProcAttr{
			Env: os.Environ(), Files: []*os.File{null, null, null}, Sys: &syscall.SysProcAttr{Setsid: true},
		})
		if err != nil {
			return 0, err
		}
		started = append(started, p)
	}
	return time.Since(began), nil
}
