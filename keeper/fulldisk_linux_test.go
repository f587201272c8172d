package keeper

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// mountTiny mounts a disk of some kilobytes.
func mountTiny(t *testing.T) string {
	if os.Getuid() != 0 {
		t.Skip("only root can mount a small disk")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("a small disk can not be mounted: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestFullDisk: the process is never stopped, the loss is counted and said
// once there is room, and no record is torn.
func TestFullDisk(t *testing.T) {
	disk := mountTiny(t)
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 160<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, Options{})
	dir := filepath.Join(disk, "web.1")
	done, goOn := filepath.Join(t.TempDir(), "done"), filepath.Join(t.TempDir(), "go")
	const lines = 20000
	script := fmt.Sprintf(`i=0; while [ $i -lt %d ]; do echo "line $i"; i=$((i+1)); done; echo $$ > %s
		while [ ! -e %s ]; do sleep 0.01; done; echo after; echo later`, lines, done, goOn)
	held := r.start(Spec{Argv: []string{"sh", "-c", script}, Log: LogSpec{Dir: dir, SegmentBytes: 32 << 10, MaxBytes: 10 << 20}})
	pidIn(t, done) // it wrote everything although the disk has been full for long
	r.mu.Lock()
	log := r.logs[dir]
	r.mu.Unlock()
	eventually(t, "all lines are written or lost", func() bool {
		log.mu.Lock()
		defer log.mu.Unlock()
		return log.lines+log.lost == lines
	})
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(goOn, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r.ended(held.ID)
	segments := readSegments(t, dir)
	numbersExact(t, segments)
	got := texts(segments)
	lost, before := 0, 0
	for i, text := range got {
		if n, err := fmt.Sscanf(text, "muster: %d lines lost here", &lost); n == 1 && err == nil {
			before = i
			break
		}
		if text != fmt.Sprint("line ", i) {
			t.Fatalf("line %d on disk is %q", i, text)
		}
	}
	if lost+before != lines || lost == 0 {
		t.Errorf("%d lines before the confession, which says %d; %d were written", before, lost, lines)
	}
	if tail := strings.Join(got[before+1:], " "); tail != "after later" {
		t.Errorf("after the confession came %q", tail)
	}
}
