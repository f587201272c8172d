package daemon

import (
	"os"

	"muster"
	"muster/supervisor"
)

// Signal sends a signal to every running process a target means.
func (d *Daemon) Signal(t Target, name string) (sent []muster.Slot, err error) {
	sig, ok := muster.SignalNumber(name)
	if !ok {
		return nil, muster.Errorf(muster.CodeUsage, "a name such as HUP, USR1 or TERM", "there is no signal %q", name)
	}
	d.mu.Lock()
	sel, err := d.resolve(t)
	d.mu.Unlock()
	if err != nil {
		return nil, err
	}
	for _, s := range d.engine.Processes() {
		if sel.Match(s.SlotOf()) && s.PID != 0 {
			if err := d.engine.Signal(s.SlotOf(), sig, muster.SignalName(sig)); err != nil {
				return sent, err
			}
			sent = append(sent, s.SlotOf())
		}
	}
	if len(sent) == 0 {
		return nil, muster.Errorf(muster.CodeNotFound, "muster ps", "nothing runs there")
	}
	return sent, nil
}

// Stdin returns the writing end of the standard input of the one process a
// target means.
func (d *Daemon) Stdin(t Target) (muster.Slot, *os.File, error) {
	slot, err := d.one(t)
	if err != nil {
		return slot, nil, err
	}
	file, err := d.engine.Stdin(slot)
	return slot, file, err
}

// Send writes a line to the standard input of every process a target means. A
// process that does not read does not hold up the sender: what its pipe can not
// take is refused.
func (d *Daemon) Send(t Target, text string) (sent []muster.Slot, err error) {
	d.mu.Lock()
	sel, err := d.resolve(t)
	d.mu.Unlock()
	if err != nil {
		return nil, err
	}
	for _, s := range d.engine.Processes() {
		if !sel.Match(s.SlotOf()) || s.PID == 0 {
			continue
		}
		if err := d.sendLine(s.SlotOf(), text); err != nil {
			return sent, err
		}
		sent = append(sent, s.SlotOf())
	}
	if len(sent) == 0 {
		return nil, muster.Errorf(muster.CodeNotFound, "muster ps", "nothing runs there")
	}
	return sent, nil
}

func (d *Daemon) sendLine(slot muster.Slot, text string) error {
	file, err := d.engine.Stdin(slot)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := writeNow(file, []byte(text+"\n")); err != nil {
		return muster.Errorf(muster.CodeFailed, "", "%s does not read its standard input: %w", slot, err)
	}
	return nil
}

// RunOneOff starts a one-off process on the caller's descriptors.
func (d *Daemon) RunOneOff(t Target, one supervisor.OneOff) (muster.Slot, <-chan muster.Exit, error) {
	d.mu.Lock()
	sel, err := d.resolve(t)
	d.mu.Unlock()
	if err != nil {
		return muster.Slot{}, nil, err
	}
	if len(sel.Apps()) != 1 {
		return muster.Slot{}, nil, muster.Errorf(muster.CodeUsage, "-a APP", "run works in one app")
	}
	one.App = sel[0].App
	return d.engine.RunOneOff(one)
}

// StopRun ends a one-off whose caller went away.
func (d *Daemon) StopRun(slot muster.Slot) { d.engine.StopOneoff(slot) }
