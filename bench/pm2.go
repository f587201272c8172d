package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// pm2 is the peer: the process manager most Node applications run under.
type pm2 struct {
	missing string // why it is not measured
	script  string
	home    string
}

// install puts the pinned version into an ignored directory, once.
func (p *pm2) install(dir, temp string) {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			p.missing = program + " is not installed"
			return
		}
	}
	p.script, p.home = filepath.Join(dir, "node_modules", "pm2", "bin", "pm2"), filepath.Join(temp, "pm2")
	if _, err := os.Stat(p.script); err != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
		npm.Dir, npm.WaitDelay = dir, 5*time.Second
		if out, err := npm.CombinedOutput(); err != nil {
			p.missing = fmt.Sprintf("npm ci: %v: %s", err, out)
			return
		}
	}
	if _, err := p.do("ping"); err != nil {
		p.missing = err.Error()
	}
}

func (p *pm2) do(args ...string) (string, error) {
	c := exec.Command("node", append([]string{p.script}, args...)...)
	c.Env = append(os.Environ(), "PM2_HOME="+p.home, "PM2_DISCRETE_MODE=true")
	out, err := c.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("pm2 %s: %w: %s", args[0], err, out)
	}
	return string(out), err
}

func (p *pm2) end() {
	if p.home != "" {
		_, _ = p.do("kill")
	}
}

// start runs one app file.
func (p *pm2) start(app map[string]any) error {
	data, err := json.Marshal(map[string]any{"apps": []any{app}})
	if err != nil {
		return err
	}
	file := filepath.Join(p.home, "bench.config.json")
	if err := os.WriteFile(file, data, 0o644); err != nil {
		return err
	}
	_, err = p.do("start", file)
	return err
}

func (p *pm2) clear() { _, _ = p.do("delete", "all") }

func (p *pm2) sleepers(n int) error {
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		return err
	}
	return p.start(map[string]any{
		"name": "sleeper", "script": sleep, "args": "1000000", "interpreter": "none", "exec_mode": "fork", "instances": n,
	})
}

func (p *pm2) memory() (string, error) {
	if err := p.sleepers(underCare); err != nil {
		return "", err
	}
	defer p.clear()
	data, err := os.ReadFile(filepath.Join(p.home, "pm2.pid"))
	if err != nil {
		return "", err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		return "", err
	}
	time.Sleep(settleTime)
	n, err := rss(pid)
	return fmt.Sprintf("PM2 daemon: %s", megabytes(n)), err
}

func (p *pm2) roundTrip(processes int) (string, error) {
	if err := p.sleepers(processes); err != nil {
		return "", err
	}
	defer p.clear()
	var took []time.Duration
	for range 4 {
		began := time.Now()
		if _, err := p.do("ls"); err != nil {
			return "", err
		}
		took = append(took, time.Since(began))
	}
	return "pm2 ls: " + millis(median(took[1:])), nil
}

// pm2Part is the share of the lines that PM2 is given: it needs its time.
const pm2Part = 8

// logs measures PM2 as it is set up by default, and with stamps.
func (p *pm2) logs(b *bench) error {
	for _, kind := range []struct{ label, format string }{{"plain", ""}, {"timestamped", "YYYY-MM-DDTHH:mm:ss.SSSZ"}} {
		said, err := p.logOnce(&bench{bytes: b.bytes / pm2Part, dir: b.dir, self: b.self}, kind.format)
		if err != nil {
			return err
		}
		b.table.add("", "", "PM2, "+kind.label+", not rotated: "+said, "")
	}
	return nil
}

func (p *pm2) logOnce(b *bench, format string) (said string, err error) {
	out, began := filepath.Join(b.dir, "pm2.out"), filepath.Join(b.dir, "pm2.began")
	defer os.Remove(out)
	app := map[string]any{
		"name": "writer", "script": b.self, "args": []string{"play-write", fmt.Sprint(b.bytes), began},
		"interpreter": "none", "autorestart": false, "out_file": out,
	}
	if format != "" {
		app["log_date_format"] = format
	}
	if err := p.start(app); err != nil {
		return "", err
	}
	defer p.clear()
	last := fmt.Appendf(nil, "%0*d", numberWidth, linesIn(b.bytes))
	if until(3*time.Minute, "", func() bool { return bytes.Contains(tailOf(out, 4096), last) }) != nil {
		return "did not finish", nil
	}
	speed, err := b.since(began, time.Now())
	if err != nil {
		return "", err
	}
	d, err := inspectPM2(out, linesIn(b.bytes), format != "")
	return fmt.Sprintf("%s; %s", rate(speed), d), err
}

// inspectPM2 expects each line whole, behind a stamp if there should be one.
func inspectPM2(file string, expected int64, stamped bool) (damage, error) {
	data, err := os.ReadFile(file)
	d := damage{expected: expected}
	whole := int64(0)
	for line := range bytes.Lines(data) {
		text, ok := line, true
		if stamped {
			_, text, ok = bytes.Cut(line, []byte(": "))
		}
		if !ok || len(text) != numberWidth+len(lineText) || !bytes.HasSuffix(text, []byte(lineText)) {
			d.torn++
			continue
		}
		whole++
	}
	d.lost = max(0, expected-whole-d.torn)
	return d, err
}
