package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const restartRounds = 20

// restart is the time from kill -9 until the replacement runs, by its own
// clock, beside a loop that starts the same command again when it ends.
func (b *bench) restart() error {
	i, err := b.boot(map[string]string{
		"Procfile": fmt.Sprintf("stamper: %s play-stamp stamps.$PS\n", b.self),
	})
	if err != nil {
		return err
	}
	defer i.end()
	// Each slot is killed once: later restarts wait on purpose.
	if _, err := i.do("start", "-m", fmt.Sprintf("stamper=%d", restartRounds)); err != nil {
		return err
	}
	ours, err := i.killEach()
	if err != nil {
		return err
	}
	bare, err := b.bareRespawn()
	if err != nil {
		return err
	}
	o, r := median(ours), median(bare)
	b.table.add("kill -9 until the replacement runs", millis(o),
		fmt.Sprintf("respawn loop: %s (%s added)", millis(r), millis(o-r)), "<= 3 ms added")
	return nil
}

func (i *instance) killEach() (took []time.Duration, err error) {
	for n := 1; n <= restartRounds; n++ {
		file := filepath.Join(i.dir, fmt.Sprintf("stamps.stamper.%d", n))
		d, err := killOnce(file, 1)
		if err != nil {
			return nil, err
		}
		took = append(took, d)
	}
	return took, nil
}

// killOnce kills the process of the nth stamp and waits for the next stamp.
func killOnce(file string, n int) (time.Duration, error) {
	pid, _, err := stampNumber(file, n)
	if err != nil {
		return 0, err
	}
	time.Sleep(20 * time.Millisecond) // the machine is quiet again
	began := time.Now().UnixNano()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return 0, err
	}
	_, at, err := stampNumber(file, n+1)
	return time.Duration(at - began), err
}

// stampNumber waits for the nth line of a stamp file.
func stampNumber(file string, n int) (pid int, at int64, err error) {
	var line []byte
	err = until(10*time.Second, "a process had started", func() bool {
		data, _ := os.ReadFile(file)
		lines := bytes.SplitAfter(data, []byte("\n"))
		if len(lines) <= n {
			return false
		}
		line = lines[n-1]
		return true
	})
	if err == nil {
		_, err = fmt.Sscan(string(line), &pid, &at)
	}
	return pid, at, err
}

func (b *bench) bareRespawn() (took []time.Duration, err error) {
	file := filepath.Join(b.dir, "stamps")
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- b.respawn(file, stop) }()
	for n := 1; n <= restartRounds && err == nil; n++ {
		var d time.Duration
		d, err = killOnce(file, n)
		took = append(took, d)
	}
	close(stop)
	if pid, _, serr := stampNumber(file, restartRounds+1); serr == nil {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	if err != nil {
		return nil, err
	}
	return took, <-ended
}

// respawn starts the command again whenever it ends, until stop.
func (b *bench) respawn(file string, stop <-chan struct{}) error {
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		c := exec.Command("bash", "-c", fmt.Sprintf("exec %s play-stamp %s", b.self, file))
		c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := c.Start(); err != nil {
			return err
		}
		_ = c.Wait()
	}
}
