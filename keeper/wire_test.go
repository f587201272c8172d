package keeper

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func newWirePair(t testing.TB) (a, b *wire) {
	t.Helper()
	left, right, err := socketPair()
	if err != nil {
		t.Fatal(err)
	}
	defer left.Close()
	defer right.Close()
	a, err = newWire(left)
	if err == nil {
		b, err = newWire(right)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.close(); b.close() })
	return a, b
}

// openFDs counts this process's descriptors.
func openFDs(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("descriptors can not be counted: %v", err)
	}
	return len(entries)
}

func TestWireRoundTrip(t *testing.T) {
	a, b := newWirePair(t)
	big, _ := json.Marshal(strings.Repeat("x", 3<<20))
	for _, want := range []frame{
		{Number: 1, Op: "spawn", Body: json.RawMessage(`{"a":"b"}`)},
		{Number: 1<<64 - 1, Error: "ünable"},
		{Op: noticeReady},
		{Number: 2, Op: "big", Body: big},
	} {
		sent := make(chan error, 1)
		go func() { sent <- a.send(want, nil) }()
		got, files, err := b.receive()
		if err != nil || len(files) != 0 {
			t.Fatalf("receive: %v, %d files", err, len(files))
		}
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("sent (-), received (+):\n%s", diff)
		}
	}
}

// TestWireDescriptors sends pipes across, with bodies of both kinds: smaller
// and larger than what a socket takes at once.
func TestWireDescriptors(t *testing.T) {
	a, b := newWirePair(t)
	before := openFDs(t)
	for _, n := range []int{1, 3, maxFrameFiles} {
		for _, size := range []int{0, 1 << 20} {
			var reads, writes []*os.File
			for range n {
				r, w, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				reads, writes = append(reads, r), append(writes, w)
			}
			body, _ := json.Marshal(strings.Repeat("x", size))
			sent := make(chan error, 1)
			go func() { sent <- a.send(frame{Number: 7, Body: body}, writes) }()
			_, files, err := b.receive()
			if err := <-sent; err != nil {
				t.Fatal(err)
			}
			if err != nil || len(files) != n {
				t.Fatalf("%d descriptors: %d came, %v", n, len(files), err)
			}
			closeAll(writes)
			for i, f := range files {
				f.Write([]byte{byte(i)})
			}
			closeAll(files)
			for i, r := range reads {
				if got, _ := io.ReadAll(r); !bytes.Equal(got, []byte{byte(i)}) {
					t.Errorf("descriptor %d of %d leads elsewhere: %v", i, n, got)
				}
			}
			closeAll(reads)
		}
	}
	if after := openFDs(t); after != before {
		t.Errorf("%d descriptors were open, now %d", before, after)
	}
}

func TestWireRefusesToSendTooMuch(t *testing.T) {
	a, _ := newWirePair(t)
	body, _ := json.Marshal(strings.Repeat("x", maxFrame))
	if err := a.send(frame{Body: body}, nil); err == nil {
		t.Error("a frame above the limit was sent")
	}
	if err := a.send(frame{}, make([]*os.File, maxFrameFiles+1)); err == nil {
		t.Error("too many descriptors were sent")
	}
}

// header announces a frame.
func header(length uint32, files byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, length), files)
}

// TestReceiveGarbage: an error, no panic, no descriptor left open.
func TestReceiveGarbage(t *testing.T) {
	whole := append(header(2, 0), "{}"...)
	for name, c := range map[string]struct {
		data  []byte
		files int
	}{
		"nothing":                        {nil, 0},
		"half a header":                  {[]byte{0, 0}, 0},
		"half a header with descriptors": {[]byte{0, 0}, 2},
		"no body":                        {header(10, 0), 0},
		"half a body":                    {append(header(10, 0), "{}"...), 0},
		"huge":                           {header(1<<32-1, 0), 0},
		"just above the limit":           {header(maxFrame+1, 0), 0},
		"no JSON":                        {append(header(3, 0), "abc"...), 0},
		"empty body":                     {header(0, 0), 0},
		"other JSON":                     {append(header(4, 0), "[12]"...), 0},
		"too few descriptors":            {append(header(2, 3), "{}"...), 1},
		"unannounced descriptors":        {whole, 2},
		"announced, none came":           {append(header(2, 1), "{}"...), 0},
		"more than a frame may carry":    {append(header(2, 40), "{}"...), 40},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := newWirePair(t)
			before := openFDs(t)
			sendRaw(t, a, c.data, c.files)
			if f, files, err := b.receive(); err == nil {
				t.Errorf("accepted as %+v with %d descriptors", f, len(files))
				closeAll(files)
			}
			if after := openFDs(t); after != before-1 { // a's own is closed
				t.Errorf("%d descriptors were open, now %d", before-1, after)
			}
		})
	}
}

// sendRaw writes bytes that need not be a frame, and ends the stream.
func sendRaw(t testing.TB, w *wire, data []byte, files int) {
	t.Helper()
	var rights []byte
	if files > 0 {
		fds := make([]int, files)
		for i := range fds {
			fds[i] = 1
		}
		rights = syscall.UnixRights(fds...)
	}
	if len(data) > 0 {
		if n, _, err := w.conn.WriteMsgUnix(data, rights, nil); err != nil || n < len(data) {
			t.Fatalf("sent %d of %d bytes: %v", n, len(data), err)
		}
	}
	w.close()
}

func FuzzReceive(f *testing.F) {
	f.Add([]byte{}, uint8(0))
	f.Add(append(header(2, 0), "{}"...), uint8(0))
	f.Add(append(header(2, 2), `{"n":1}`...), uint8(2))
	f.Add(header(1<<31, 255), uint8(17))
	f.Add(append(header(9, 1), `{"op":"x"`...), uint8(1))
	f.Fuzz(func(t *testing.T, data []byte, files uint8) {
		if len(data) > 64<<10 || files > 100 {
			t.Skip("more than a socket takes at once")
		}
		a, b := newWirePair(t)
		before := openFDs(t)
		sendRaw(t, a, data, int(files))
		for {
			_, got, err := b.receive()
			closeAll(got)
			if err != nil {
				break
			}
		}
		if after := openFDs(t); after != before-1 {
			t.Errorf("%d descriptors were open, now %d", before-1, after)
		}
	})
}

// TestClientAndSession speaks the whole protocol across a socket pair.
func TestClientAndSession(t *testing.T) {
	r := newRig(t, Options{})
	ours, theirs, err := socketPair()
	if err != nil {
		t.Fatal(err)
	}
	w, err := newWire(ours)
	ours.Close()
	if err != nil {
		t.Fatal(err)
	}
	fatal, ended := make(chan string, 1), make(chan bool, 1)
	s := &session{keeper: r.Keeper, wire: w, busy: func() {}, ready: func() {}, fatal: func(text string) { fatal <- text }, end: func() { ended <- true }}
	served := make(chan struct{})
	go func() { s.serve(); w.close(); close(served) }()
	exits := make(chan Exit, 1)
	client, err := Connect(theirs, func(e Exit) { exits <- e }, func() {})
	theirs.Close()
	if err != nil {
		t.Fatal(err)
	}
	reading := make(chan error, 1)
	go func() { reading <- client.Run() }()

	held, err := client.Spawn(Spec{ID: "shop/web.1@1", Argv: []string{"cat"}, Note: "n"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if inv, err := client.Inventory(); err != nil || len(inv.Processes) != 1 || inv.Processes[0].PID != held.PID || inv.Processes[0].Note != "n" {
		t.Errorf("inventory %+v, %v", inv, err)
	}
	stdin, err := client.Fetch("stdin:" + held.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stdin.WriteString("hello\n"); err != nil {
		t.Error(err)
	}
	stdin.Close()
	eventually(t, "cat answers", func() bool { return r.sink.text("stdout") == "hello\n" })
	if _, err := client.Fetch("nothing"); err == nil || !strings.Contains(err.Error(), "nothing") {
		t.Errorf("fetch of what is not kept: %v", err)
	}
	if err := client.Signal(held.ID, syscall.SIGKILL, ScopeProcess); err != nil {
		t.Error(err)
	}
	s.notice(noticeExit, r.ended(held.ID))
	if e := <-exits; e.ID != held.ID || e.Signal != 9 {
		t.Errorf("told of %+v", e)
	}
	if err := client.Forget(held.ID); err != nil {
		t.Error(err)
	}
	if _, err := client.call("dance", nil, nil, nil); err == nil {
		t.Error("an unknown operation was carried out")
	}
	if err := client.Fatal("no disk"); err != nil || <-fatal != "no disk" {
		t.Errorf("fatal: %v", err)
	}
	if err := client.End(); err != nil || !<-ended {
		t.Errorf("end: %v", err)
	}
	client.Close()
	<-served
	<-reading
	if _, err := client.Inventory(); err == nil {
		t.Error("a closed client was answered")
	}
}
