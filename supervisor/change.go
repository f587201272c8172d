package supervisor

import (
	"context"
	"io"
	"os"
	"time"

	"muster"
	"muster/formation"
	"muster/keeper"
)

// Restart restarts slots in place: stopped, then started again.
func (s *Supervisor) Restart(slots []muster.Slot, cause string) {
	s.do(func() {
		for _, name := range slots {
			if l := s.slots[name]; l != nil && l.wanted {
				l.input(formation.Input{Kind: formation.Restart, Reason: cause})
			}
		}
	})
}

// Output runs a program of Muster's own and returns what it prints, at most
// 64 KB of it.
func (s *Supervisor) Output(ctx context.Context, argv []string, dir string, env []string) (string, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer read.Close()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		write.Close()
		return "", err
	}
	defer null.Close()
	spec := keeper.Spec{Argv: argv, Env: env, Dir: dir, Files: true}
	_, err = s.runTaskOn(ctx, "task/output", spec, []*os.File{null, write, null})
	write.Close()
	if err != nil {
		return "", err
	}
	_ = read.SetReadDeadline(time.Now().Add(time.Second))
	out, err := io.ReadAll(io.LimitReader(read, 64<<10))
	return string(out), err
}
