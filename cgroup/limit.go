package cgroup

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// cpuPeriod is the kernel's default: what a group may take is counted anew
// every 100 ms. In microseconds, as all of cpu.max.
const cpuPeriod = 100_000

// minQuota is the smallest share of a period that the kernel accepts.
const minQuota = 1_000

// SetMemoryMax bounds the memory of the whole group, in bytes. What goes over
// it is killed by the kernel, which OOMKills counts. 0 takes the limit away.
func (g *Group) SetMemoryMax(bytes int64) error {
	return g.limit("memory", "memory.max", orMax(bytes))
}

// SetCPUMax bounds the group's share of the processors, in cores: 0.5 is half
// of one. What wants more waits. 0 takes the limit away.
func (g *Group) SetCPUMax(cores float64) error {
	quota := "max"
	if cores > 0 {
		quota = strconv.FormatInt(max(int64(cores*cpuPeriod), minQuota), 10)
	}
	return g.limit("cpu", "cpu.max", fmt.Sprintf("%s %d", quota, cpuPeriod))
}

// SetPidsMax bounds the number of processes and threads in the group; forks
// beyond it fail. 0 takes the limit away.
func (g *Group) SetPidsMax(n int) error {
	return g.limit("pids", "pids.max", orMax(int64(n)))
}

func orMax(n int64) string {
	if n <= 0 {
		return "max"
	}
	return strconv.FormatInt(n, 10)
}

func (g *Group) limit(controller, file, value string) error {
	if err := g.write(file, value); err != nil {
		return g.failed("limit the "+controller+" of", noController(err))
	}
	return nil
}

// MemoryCurrent is the memory the whole group takes, in bytes, files it has
// cached included.
func (g *Group) MemoryCurrent() (int64, error) {
	text, err := g.read("memory.current")
	if err != nil {
		return 0, g.failed("measure the memory of", noController(err))
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, g.failed("measure the memory of", err)
	}
	return n, nil
}

// OOMKills is how many processes of the group the kernel has killed because
// memory ran out, be it the group's or the machine's.
func (g *Group) OOMKills() (int, error) {
	events, err := g.read("memory.events")
	if err != nil {
		return 0, g.failed("read the memory events of", noController(err))
	}
	kills, _ := keyed(events, "oom_kill")
	n, err := strconv.Atoi(kills)
	if err != nil {
		return 0, g.failed("read the memory events of", err)
	}
	return n, nil
}

// keyed looks a value up in a file of "key value" lines.
func keyed(text, key string) (value string, ok bool) {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), key+" "); ok {
			return value, true
		}
	}
	return "", false
}

// noController names what a missing file means.
func noController(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return ErrNoController
	}
	return err
}
