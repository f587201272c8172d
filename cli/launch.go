package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"muster"
	"muster/api"
	"muster/home"
)

// bootLimit is how long Muster may take to answer after it was started.
const bootLimit = 30 * time.Second

// running returns a client of a Muster that answers, started if need be.
func (t *terminal) running(ctx context.Context) (*api.Client, error) {
	client, err := t.client()
	if err != nil {
		return nil, err
	}
	_, err = client.Status(ctx)
	var e *muster.Error
	if err == nil || !errors.As(err, &e) || e.Code != muster.CodeUnavailable {
		return client, err
	}
	if _, serr := os.Stat(t.homeFound.Socket()); serr == nil && !strings.Contains(e.Message, "not running") {
		return nil, err // somebody holds the socket and can not answer
	}
	return client, t.launch(ctx, client)
}

// launch starts the keeper in the background, and waits until its daemon
// answers or it says why it can not.
func (t *terminal) launch(ctx context.Context, client *api.Client) error {
	h := t.homeFound
	if err := h.Prepare(); err != nil {
		return err
	}
	_, said, err := startKeeper(h)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, bootLimit)
	defer cancel()
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		if client.Running(ctx) {
			return nil
		}
		select {
		case text := <-said:
			return t.explainLaunch(ctx, client, text)
		case <-ctx.Done():
			return muster.Errorf(muster.CodeUnavailable, "reading "+h.KeeperLog(), "Muster did not start within %s", bootLimit)
		case <-time.After(pause):
		}
	}
}

// startKeeper runs this program as keeper, in a session of its own: it has
// nothing to do with our terminal, nor with descriptors we were born with. If
// it ends, said receives what it had to say.
func startKeeper(h home.Home) (*os.Process, <-chan string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer write.Close()
	closeInheritedOnExec()
	command := exec.Command(self, "keeper")
	command.Args[0] = "muster"
	command.Dir = string(h)
	command.Env = keeperEnvironment(h)
	command.Stderr = write
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		read.Close()
		return nil, nil, err
	}
	said := make(chan string, 1)
	go func() {
		defer read.Close()
		text, _ := io.ReadAll(io.LimitReader(read, 64<<10)) // ends when the keeper does, or lets go of it
		if state, err := command.Process.Wait(); err == nil && state.Exited() {
			said <- string(text)
		}
	}()
	return command.Process, said, nil
}

// keeperEnvironment is ours without what belongs to this session: the keeper
// must not look like a process of an app, or it would be swept away with it.
func keeperEnvironment(h home.Home) []string {
	var env []string
	for name, value := range api.ShellEnvironment(os.Environ(), false) {
		env = append(env, name+"="+value)
	}
	return append(env, "MUSTER_HOME="+string(h))
}

// explainLaunch tells a keeper that lost the race for the home, which is fine,
// from one that could not start.
func (t *terminal) explainLaunch(ctx context.Context, client *api.Client, said string) error {
	text := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(said), "muster: "))
	if strings.Contains(text, "already running") && t.await(ctx, func() bool { return client.Running(ctx) }) {
		return nil
	}
	hint := ""
	switch {
	case text == "":
		text = "it ended without a word"
	case strings.Contains(text, syscall.ENOSPC.Error()):
		hint = "freeing space on its disk"
	}
	return muster.Errorf(muster.CodeUnavailable, hint, "start Muster: %s", text)
}
