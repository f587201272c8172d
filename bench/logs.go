package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"syscall"
	"time"

	"muster"
)

const logRounds = 3

// logBytes fit, with a stamp before each line, under the bound that an app's
// logs have on disk, so that every line can be looked at afterwards.
const logBytes = 680_000_000

// logs is how fast the lines of one process reach the disk, stamped and
// rotated, beside cat and PM2, all fed by the same writer through a pipe. The
// time runs from the writer's first line until the last is in a file.
func (b *bench) logs() error {
	if err := b.enoughSpace(); err != nil {
		return err
	}
	var ours, cat []float64
	var damage damage
	for round := range logRounds + 1 { // the first warms up
		raw, err := b.catOnce()
		if err != nil {
			return err
		}
		mine, d, err := b.logOnce()
		if err != nil {
			return err
		}
		damage.add(d)
		if round > 0 {
			cat, ours = append(cat, raw), append(ours, mine)
		}
	}
	o, r := median(ours), median(cat)
	b.table.add("log throughput, one process", rate(o), fmt.Sprintf("cat > file: %s (%.2fx)", rate(r), o/r), ">= 400 MB/s")
	b.table.add(fmt.Sprintf("  lines of %d", damage.expected), damage.String(), "", "none lost, none torn")
	if b.peer.missing == "" {
		if err := b.peer.logs(b); err != nil {
			return err
		}
	}
	if damage.lost+damage.torn > 0 {
		return errors.New("lines were lost or torn: " + damage.String())
	}
	return nil
}

func rate(bytesPerSecond float64) string { return fmt.Sprintf("%.0f MB/s", bytesPerSecond/1e6) }

// enoughSpace wants room for the lines, their stamps and cat's copy.
func (b *bench) enoughSpace() error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(b.dir, &fs); err != nil {
		return err
	}
	if free := int64(fs.Bavail) * int64(fs.Bsize); free < 3*b.bytes {
		return fmt.Errorf("%s has %s free and %s are needed; try -bytes, or TMPDIR", b.dir, megabytes(free), megabytes(3*b.bytes))
	}
	return nil
}

// since is the speed from the moment the writer left in file.
func (b *bench) since(file string, end time.Time) (float64, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	began, err := strconv.ParseInt(string(data), 10, 64)
	if err != nil {
		return 0, err
	}
	return float64(b.bytes) / end.Sub(time.Unix(0, began)).Seconds(), nil
}

func (b *bench) catOnce() (float64, error) {
	file, began := filepath.Join(b.dir, "cat"), filepath.Join(b.dir, "began")
	defer os.Remove(file)
	shell := exec.Command("sh", "-c", fmt.Sprintf("%s play-write %d %s | cat > %s", b.self, b.bytes, began, file))
	if out, err := shell.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("cat: %w: %s", err, out)
	}
	return b.since(began, time.Now())
}

func (b *bench) logOnce() (float64, damage, error) {
	i, err := b.boot(map[string]string{
		"Procfile": fmt.Sprintf("writer: %s play-write %d began\n", b.self, b.bytes),
		"muster.toml": "[process.writer]\nrestart = \"never\"\n" +
			"[process.writer.log]\nmax_size = \"64MB\"\nkeep = 1000\ncompress = false\n",
	})
	if err != nil {
		return 0, damage{}, err
	}
	defer i.end()
	if _, err := i.do("start"); err != nil {
		return 0, damage{}, err
	}
	dir := filepath.Join(i.home, "logs", "app", "writer.1")
	want := linesIn(b.bytes) * int64(len(muster.AppendLinePrefix(nil, time.Now(), muster.Stdout, false))+numberWidth+len(lineText))
	if err := until(5*time.Minute, "all lines were written", func() bool { return dirBytes(dir) >= want }); err != nil {
		return 0, damage{}, fmt.Errorf("%w: %d bytes of %d", err, dirBytes(dir), want)
	}
	speed, err := b.since(filepath.Join(i.dir, "began"), time.Now())
	if err != nil {
		return 0, damage{}, err
	}
	d, err := inspect(dir, linesIn(b.bytes))
	return speed, d, err
}

func dirBytes(dir string) (sum int64) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			sum += info.Size()
		}
	}
	return sum
}

// damage is what is wrong with lines that were written.
type damage struct{ expected, lost, torn int64 }

func (d *damage) add(other damage) {
	d.expected += other.expected
	d.lost += other.lost
	d.torn += other.torn
}

func (d damage) String() string { return fmt.Sprintf("%d lost, %d torn", d.lost, d.torn) }

// inspect reads all segments in order: every line must be whole, and follow the
// one before it.
func inspect(dir string, expected int64) (damage, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil {
		return damage{}, err
	}
	sort.Strings(files)
	d := damage{expected: expected}
	number := []byte("000000000000")
	whole := int64(0)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return d, err
		}
		for line := range bytes.Lines(data) {
			record, ok := muster.ParseLine(bytes.TrimSuffix(line, []byte("\n")))
			count(number)
			if !ok || record.Partial || !bytes.Equal(record.Text, append(bytes.Clone(number), lineText[:len(lineText)-1]...)) {
				d.torn++
				continue
			}
			whole++
		}
	}
	d.lost = expected - whole - d.torn
	return d, nil
}

// tailOf reads a file's end.
func tailOf(file string, n int64) []byte {
	f, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer f.Close()
	if size, err := f.Seek(0, io.SeekEnd); err == nil {
		_, _ = f.Seek(max(0, size-n), io.SeekStart)
	}
	data, _ := io.ReadAll(f)
	return data
}
