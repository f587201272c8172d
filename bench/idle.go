package main

import (
	"fmt"
	"time"
)

// idle is the processor time of keeper and daemon while a thousand processes do
// nothing.
func (b *bench) idle() error {
	const processes, window = 1000, 10 * time.Second
	i, err := b.boot(map[string]string{"Procfile": "sleeper: sleep 1000000\n"})
	if err != nil {
		return err
	}
	defer i.end()
	if _, err := i.do("start", "-m", fmt.Sprintf("sleeper=%d", processes)); err != nil {
		return err
	}
	own, err := i.own()
	if err != nil {
		return err
	}
	time.Sleep(forgiven)
	before, err := cpu(own)
	if err != nil {
		return err
	}
	began := time.Now()
	time.Sleep(window)
	after, err := cpu(own)
	if err != nil {
		return err
	}
	share := 100 * float64(after-before) / float64(time.Since(began))
	b.table.add(fmt.Sprintf("idle CPU, %d processes", processes), fmt.Sprintf("%.2f %% of a core", share), "0 %", "<= 1 %")
	return nil
}

// forgiven is past the moment when every process counts as healthy, which is
// the last thing a start causes.
const forgiven = 33 * time.Second
