package cgroup

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
)

// A kernel before 5.14 has no cgroup.kill. Rounds must do, for groups below
// the killed one too.
func TestKillByRounds(t *testing.T) {
	root, err := Find()
	if err != nil {
		t.Skip(err)
	}
	name := "muster-rounds-" + strconv.Itoa(os.Getpid())
	below, err := root.Create(name + "/below")
	if err != nil {
		t.Fatal(err)
	}
	g, err := Open(root.Path() + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = below.Remove(), g.Remove() })

	for _, in := range []*Group{g, below, below} {
		dir, err := in.Dir()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("sleep", "300")
		cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(dir.Fd())}
		err = cmd.Start()
		dir.Close()
		if err != nil {
			t.Fatal(err)
		}
		defer cmd.Wait()
	}
	if pids, err := g.Procs(); len(pids) != 3 || err != nil {
		t.Fatalf("the processes are %v, %v", pids, err)
	}
	if err := g.killByRounds(); err != nil {
		t.Fatal(err)
	}
	if populated, err := g.Populated(); populated || err != nil {
		t.Errorf("populated is %v, %v", populated, err)
	}
}
