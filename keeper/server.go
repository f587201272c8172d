package keeper

import (
	"encoding/json"
	"fmt"
	"os"
	"syscall"
)

// Arguments of the operations that have any beside an ID or a name.
type (
	spawnArgs  struct{ Spec Spec }
	signalArgs struct {
		ID     string
		Signal int
		Scope  Scope
	}
	nameArgs    struct{ Name string }
	upgradeArgs struct{ Binary string }
)

// notices are operations without a reply.
const (
	noticeExit      = "exit"      // keeper -> daemon: a process ended
	noticeTerminate = "terminate" // keeper -> daemon: the machine wants Muster to end
	noticeReady     = "ready"     // daemon -> keeper: I answer commands
	noticeFatal     = "fatal"     // daemon -> keeper: I can not start, because
)

// A session is the keeper's side of one daemon's life.
type session struct {
	keeper *Keeper
	wire   *wire
	busy   func() // something was asked for
	ready  func()
	fatal  func(string)
	end    func() // the daemon asks for the end of everything
	become func(binary string) error
}

// serve answers the daemon until its end of the socket closes. Requests run
// each on its own goroutine: a sweep does not hold up a spawn.
func (s *session) serve() {
	for {
		f, files, err := s.wire.receive()
		if err != nil {
			return
		}
		s.busy()
		switch f.Op {
		case noticeReady:
			s.ready()
		case noticeFatal:
			var text string
			json.Unmarshal(f.Body, &text)
			s.fatal(text)
		case "spawn": // in order, so that dependents start after what they need
			s.answer(f, files)
		default:
			s.keeper.running.Go(func() { s.answer(f, files) })
		}
	}
}

func (s *session) notice(op string, body any) {
	raw, _ := json.Marshal(body)
	_ = s.wire.send(frame{Op: op, Body: raw}, nil) // a daemon that is gone asks again
}

func (s *session) answer(f frame, files []*os.File) {
	defer closeAll(files)
	result, sending, err := s.do(f, files)
	reply := frame{Number: f.Number}
	if err != nil {
		reply.Error = err.Error()
	} else if result != nil {
		reply.Body, _ = json.Marshal(result)
	}
	_ = s.wire.send(reply, sending)
	closeAll(sending)
}

// do carries one operation out.
func (s *session) do(f frame, files []*os.File) (result any, sending []*os.File, err error) {
	k := s.keeper
	switch f.Op {
	case "spawn":
		return with(f, func(a spawnArgs) (any, error) { return k.Spawn(a.Spec, files) })
	case "signal":
		return with(f, func(a signalArgs) (any, error) { return nil, k.Signal(a.ID, syscall.Signal(a.Signal), a.Scope) })
	case "tree":
		return with(f, func(a nameArgs) (any, error) { return k.Tree(a.Name) })
	case "sweep":
		return with(f, func(a nameArgs) (any, error) { return nil, k.Sweep(a.Name) })
	case "forget":
		return with(f, func(a nameArgs) (any, error) { return nil, k.Forget(a.Name) })
	case "keep":
		return with(f, func(a nameArgs) (any, error) { return nil, s.keep(a.Name, files) })
	case "drop":
		return with(f, func(a nameArgs) (any, error) { return nil, k.Drop(a.Name) })
	case "tune":
		return with(f, func(a LogSpec) (any, error) { return nil, k.Tune(a) })
	case "inventory":
		inventory, err := k.Inventory()
		return inventory, nil, err
	case "fetch":
		return s.fetch(f)
	case "upgrade":
		return with(f, func(a upgradeArgs) (any, error) { return nil, s.become(a.Binary) })
	case "end":
		s.end()
		return nil, nil, nil
	}
	return nil, nil, fmt.Errorf("keeper protocol: unknown operation %q", f.Op)
}

func with[A any](f frame, do func(A) (any, error)) (any, []*os.File, error) {
	var args A
	if err := json.Unmarshal(f.Body, &args); err != nil {
		return nil, nil, fmt.Errorf("keeper protocol: %s: %w", f.Op, err)
	}
	result, err := do(args)
	return result, nil, err
}

func (s *session) keep(name string, files []*os.File) error {
	if len(files) != 1 {
		return fmt.Errorf("keep %s: %d descriptors came, not 1", name, len(files))
	}
	return s.keeper.Keep(name, files[0])
}

func (s *session) fetch(f frame) (any, []*os.File, error) {
	var args nameArgs
	if err := json.Unmarshal(f.Body, &args); err != nil {
		return nil, nil, err
	}
	file, err := s.keeper.Fetch(args.Name)
	if err != nil {
		return nil, nil, err
	}
	return nil, []*os.File{file}, nil
}
