package main

import (
	"fmt"
	"time"
)

// roundTrip is what a person waits for `muster ps`.
func (b *bench) roundTrip() error {
	const processes, rounds = 10, 50
	i, err := b.boot(map[string]string{"Procfile": "sleeper: sleep 1000000\n"})
	if err != nil {
		return err
	}
	defer i.end()
	if _, err := i.do("start", "-m", fmt.Sprintf("sleeper=%d", processes)); err != nil {
		return err
	}
	var took []time.Duration
	for range rounds + 1 {
		began := time.Now()
		if _, err := i.do("ps"); err != nil {
			return err
		}
		took = append(took, time.Since(began))
	}
	beside := "pm2 ls: missing"
	if b.peer.missing == "" {
		if beside, err = b.peer.roundTrip(processes); err != nil {
			return err
		}
	}
	b.table.add(fmt.Sprintf("muster ps, %d processes", processes), millis(median(took[1:])), beside, "<= 30 ms")
	return nil
}
