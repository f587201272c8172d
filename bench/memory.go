package main

import (
	"fmt"
	"time"
)

// underCare is how many processes the memory row has running.
const underCare = 100

// memory is what keeper and daemon take with many processes under care.
func (b *bench) memory() error {
	i, err := b.boot(map[string]string{"Procfile": "sleeper: sleep 1000000\n"})
	if err != nil {
		return err
	}
	defer i.end()
	if _, err := i.do("start", "-m", fmt.Sprintf("sleeper=%d", underCare)); err != nil {
		return err
	}
	own, err := i.own()
	if err != nil {
		return err
	}
	time.Sleep(settleTime)
	sum, err := rssOf(own)
	if err != nil {
		return err
	}
	keeper, _ := rss(own[0])
	beside := "PM2: missing"
	if b.peer.missing == "" {
		if beside, err = b.peer.memory(); err != nil {
			return err
		}
	}
	b.table.add(fmt.Sprintf("idle memory, %d processes", underCare),
		fmt.Sprintf("%s (keeper %s, daemon %s)", megabytes(sum), megabytes(keeper), megabytes(sum-keeper)), beside, "<= 30 MB")
	return nil
}

// settleTime lets the garbage of a start be collected: idle is what is measured.
const settleTime = 5 * time.Second
