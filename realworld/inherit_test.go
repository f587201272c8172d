package realworld

import (
	"io"
	"os"
	"os/exec"
	"testing"
	"time"
)

// Muster lives on in the background, so it may keep nothing of the command that
// started it: a script that reads until its other end is closed would hang.
func TestStartKeepsNoDescriptorOfItsCaller(t *testing.T) {
	m := newInstallation(t, map[string]string{"Procfile": "web: sleep 1000\n"})
	ours, theirs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	start := exec.Command(binary, "start")
	start.Dir, start.ExtraFiles = m.dir, []*os.File{theirs}
	start.Env = append(os.Environ(), "MUSTER_HOME="+m.home)
	out, err := start.CombinedOutput()
	theirs.Close()
	if err != nil {
		t.Fatalf("muster start: %v\n%s", err, out)
	}
	if err := ours.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := ours.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("a descriptor of the caller is open after muster start returned: %v, not EOF", err)
	}
}
