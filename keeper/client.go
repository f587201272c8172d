package keeper

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
)

// A Client is the daemon's side of the protocol. It has a Keeper's operations.
type Client struct {
	wire      *wire
	exited    func(Exit)
	terminate func()

	mu      sync.Mutex // guards what follows
	number  uint64
	waiting map[uint64]chan reply
	err     error // why the connection ended
}

type reply struct {
	frame frame
	files []*os.File
	err   error
}

// Connect speaks to the keeper over the socket a daemon is born with. exited
// is called for every end, terminate when the keeper was asked to end
// everything; both on the reading goroutine, so they must not call back.
func Connect(socket *os.File, exited func(Exit), terminate func()) (*Client, error) {
	w, err := newWire(socket)
	if err != nil {
		return nil, err
	}
	return &Client{wire: w, exited: exited, terminate: terminate, waiting: map[uint64]chan reply{}}, nil
}

// Run reads until the keeper is gone or Close is called.
func (c *Client) Run() error {
	for {
		f, files, err := c.wire.receive()
		if err != nil {
			c.fail(fmt.Errorf("the keeper is gone: %w", err))
			return err
		}
		switch f.Op {
		case "":
			c.deliver(f, files)
		case noticeExit:
			var exit Exit
			if json.Unmarshal(f.Body, &exit) == nil {
				c.exited(exit)
			}
		case noticeTerminate:
			c.terminate()
		}
	}
}

func (c *Client) deliver(f frame, files []*os.File) {
	c.mu.Lock()
	waiter := c.waiting[f.Number]
	delete(c.waiting, f.Number)
	c.mu.Unlock()
	if waiter == nil {
		closeAll(files)
		return
	}
	waiter <- reply{frame: f, files: files}
}

func (c *Client) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
	for number, waiter := range c.waiting {
		waiter <- reply{err: err}
		delete(c.waiting, number)
	}
}

// Close ends the connection; the keeper takes it for the daemon's end.
func (c *Client) Close() { c.wire.close() }

// call sends a request and waits for its reply. Any result may be nil.
func (c *Client) call(op string, args, result any, files []*os.File) ([]*os.File, error) {
	waiter, err := c.ask(op, args, files)
	if err != nil {
		return nil, err
	}
	return (<-waiter).decode(result)
}

// ask sends a request and returns where its reply will come.
func (c *Client) ask(op string, args any, files []*os.File) (<-chan reply, error) {
	body, err := json.Marshal(args)
	if err != nil {
		return nil, err
	}
	waiter := make(chan reply, 1)
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return nil, c.err
	}
	c.number++
	number := c.number
	c.waiting[number] = waiter
	c.mu.Unlock()
	return waiter, c.wire.send(frame{Number: number, Op: op, Body: body}, files)
}

func (r reply) decode(result any) ([]*os.File, error) {
	switch {
	case r.err != nil:
		return nil, r.err
	case r.frame.Error != "":
		return nil, errors.New(r.frame.Error)
	case result != nil:
		return r.files, json.Unmarshal(r.frame.Body, result)
	}
	return r.files, nil
}

// Spawn is Keeper.Spawn.
func (c *Client) Spawn(spec Spec, files []*os.File) (Held, error) {
	return c.Begin(spec, files)()
}

// Begin asks for a process without waiting for the answer: requests that follow
// each other do not wait for each other's way back.
func (c *Client) Begin(spec Spec, files []*os.File) (answer func() (Held, error)) {
	waiter, err := c.ask("spawn", spawnArgs{spec}, files)
	return func() (held Held, _ error) {
		if err != nil {
			return held, err
		}
		_, err := (<-waiter).decode(&held)
		return held, err
	}
}

// Signal is Keeper.Signal.
func (c *Client) Signal(id string, sig syscall.Signal, scope Scope) error {
	_, err := c.call("signal", signalArgs{id, int(sig), scope}, nil, nil)
	return err
}

// Tree is Keeper.Tree.
func (c *Client) Tree(id string) (pids []int, err error) {
	_, err = c.call("tree", nameArgs{id}, &pids, nil)
	return pids, err
}

// Sweep is Keeper.Sweep.
func (c *Client) Sweep(id string) error {
	_, err := c.call("sweep", nameArgs{id}, nil, nil)
	return err
}

// Forget is Keeper.Forget.
func (c *Client) Forget(id string) error {
	_, err := c.call("forget", nameArgs{id}, nil, nil)
	return err
}

// Keep is Keeper.Keep, but the caller keeps and closes its own copy.
func (c *Client) Keep(name string, file *os.File) error {
	_, err := c.call("keep", nameArgs{name}, nil, []*os.File{file})
	return err
}

// Fetch is Keeper.Fetch.
func (c *Client) Fetch(name string) (*os.File, error) {
	files, err := c.call("fetch", nameArgs{name}, nil, nil)
	if err != nil {
		return nil, err
	}
	if len(files) != 1 {
		closeAll(files)
		return nil, fmt.Errorf("fetch %s: %d descriptors came, not 1", name, len(files))
	}
	return files[0], nil
}

// Drop is Keeper.Drop.
func (c *Client) Drop(name string) error {
	_, err := c.call("drop", nameArgs{name}, nil, nil)
	return err
}

// Tune is Keeper.Tune.
func (c *Client) Tune(spec LogSpec) error {
	_, err := c.call("tune", spec, nil, nil)
	return err
}

// Inventory is Keeper.Inventory.
func (c *Client) Inventory() (inv Inventory, err error) {
	_, err = c.call("inventory", nil, &inv, nil)
	return inv, err
}

// Upgrade makes the keeper become another binary. On success the connection
// ends, and with it the daemon: the new keeper starts a new one.
func (c *Client) Upgrade(binary string) error {
	_, err := c.call("upgrade", upgradeArgs{binary}, nil, nil)
	return err
}

// End asks the keeper to kill what it still holds, and to end.
func (c *Client) End() error {
	_, err := c.call("end", nil, nil, nil)
	return err
}

// Ready tells the keeper that commands are answered.
func (c *Client) Ready() error { return c.wire.send(frame{Op: noticeReady}, nil) }

// Fatal tells the keeper why this daemon can not start.
func (c *Client) Fatal(reason string) error {
	body, _ := json.Marshal(reason)
	return c.wire.send(frame{Op: noticeFatal, Body: body}, nil)
}
