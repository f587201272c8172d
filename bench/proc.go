package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// rss is a process's resident memory in bytes.
func rss(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			var kilobytes int64
			_, err := fmt.Sscan(rest, &kilobytes)
			return kilobytes << 10, err
		}
	}
	return 0, fmt.Errorf("process %d has no VmRSS", pid)
}

func rssOf(pids []int) (sum int64, err error) {
	for _, pid := range pids {
		n, err := rss(pid)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// cpu is the processor time some processes have taken. A tick is 10 ms on
// every Linux that Go runs on.
func cpu(pids []int) (sum time.Duration, err error) {
	for _, pid := range pids {
		fields, err := stat(pid)
		if err != nil {
			return 0, err
		}
		for _, field := range fields[11:13] { // utime and stime
			ticks, err := strconv.ParseInt(field, 10, 64)
			if err != nil {
				return 0, err
			}
			sum += time.Duration(ticks) * 10 * time.Millisecond
		}
	}
	return sum, nil
}

// stat returns the fields of /proc/PID/stat after the command's name, which may
// itself contain blanks.
func stat(pid int) ([]string, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	text := string(data)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 {
		return nil, fmt.Errorf("process %d: short stat", pid)
	}
	return fields, nil
}

// roleChild finds the daemon among a keeper's children by its command line.
func roleChild(keeper int) (int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		fields, err := stat(pid)
		if err != nil || fields[1] != strconv.Itoa(keeper) {
			continue
		}
		line, _ := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		if strings.Contains(string(line), "\x00daemon\x00") {
			return pid, nil
		}
	}
	return 0, fmt.Errorf("keeper %d has no daemon", keeper)
}
