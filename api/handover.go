package api

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"syscall"

	"muster"
	"muster/supervisor"
)

// run and attach hand descriptors over. After the answer "101 Switching
// Protocols" the connection carries JSON lines, with descriptors beside the
// first byte where there are any:
//
//	run:    client: 3 descriptors · server: RunStarted · server: RunEnded
//	attach: server: RunStarted and 1 descriptor
//
// The process then works on the caller's own terminal or pipes: no byte of its
// input or output passes through Muster.

// RunStarted tells which process it is.
type RunStarted struct {
	Slot muster.Slot `json:"process"`
}

// RunEnded tells how it ended.
type RunEnded struct {
	Exit *muster.Exit  `json:"exit,omitempty"`
	Err  *muster.Error `json:"error,omitempty"`
}

const handoverProtocol = "muster-descriptors"

// hijack takes the connection over after a 101.
func hijack(w http.ResponseWriter) (*net.UnixConn, error) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, err
	}
	unix, ok := conn.(*net.UnixConn)
	if !ok || buffered.Reader.Buffered() > 0 {
		conn.Close()
		return nil, muster.Errorf(muster.CodeInvalid, "", "descriptors need a Unix socket and a client that waits for the 101")
	}
	_, err = fmt.Fprintf(unix, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", handoverProtocol)
	if err != nil {
		conn.Close()
	}
	return unix, err
}

func (s *server) run(w http.ResponseWriter, r *http.Request) error {
	req, err := read[RunRequest](r)
	if err != nil {
		return err
	}
	conn, err := hijack(w)
	if err != nil {
		return err
	}
	defer conn.Close()
	files, err := receiveFiles(conn, 3)
	if err != nil {
		sendLine(conn, RunEnded{Err: muster.AsError(err)}, nil)
		return nil
	}
	slot, exited, err := s.daemon.RunOneOff(req.Target, supervisor.OneOff{
		Type: req.Type, Command: req.Command, Env: req.Env, Terminal: req.Terminal, Files: files,
	})
	for _, f := range files {
		f.Close()
	}
	if err != nil {
		sendLine(conn, RunEnded{Err: muster.AsError(err)}, nil)
		return nil
	}
	sendLine(conn, RunStarted{slot}, nil)
	s.awaitRun(conn, slot, exited)
	return nil
}

// awaitRun tells the end, or ends the process when its caller is gone.
func (s *server) awaitRun(conn *net.UnixConn, slot muster.Slot, exited <-chan muster.Exit) {
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = io.Copy(io.Discard, conn)
	}()
	select {
	case exit := <-exited:
		sendLine(conn, RunEnded{Exit: &exit}, nil)
	case <-gone:
		s.daemon.StopRun(slot)
	case <-s.ctx.Done(): // the next daemon takes the process over
	}
	conn.Close()
	<-gone
}

func (s *server) attach(w http.ResponseWriter, r *http.Request) error {
	target, err := read[Target](r)
	if err != nil {
		return err
	}
	slot, file, err := s.daemon.Stdin(target)
	if err != nil {
		return err
	}
	defer file.Close()
	conn, err := hijack(w)
	if err != nil {
		return err
	}
	defer conn.Close()
	sendLine(conn, RunStarted{slot}, file)
	return nil
}

func sendLine(conn *net.UnixConn, body any, file *os.File) {
	data, _ := json.Marshal(body)
	_ = sendFiles(conn, append(data, '\n'), file)
}

// sendFiles writes data with descriptors beside its first byte.
func sendFiles(conn *net.UnixConn, data []byte, files ...*os.File) error {
	fds := rawDescriptors(files)
	var rights []byte
	if len(fds) > 0 {
		rights = syscall.UnixRights(fds...)
	}
	n, _, err := conn.WriteMsgUnix(data, rights, nil)
	runtime.KeepAlive(files)
	if err == nil && n < len(data) {
		_, err = conn.Write(data[n:])
	}
	return err
}

// rawDescriptors leaves the files' mode alone: File.Fd would make a pipe
// blocking for everybody who shares it.
func rawDescriptors(files []*os.File) (fds []int) {
	for _, f := range files {
		if f == nil {
			continue
		}
		if conn, err := f.SyscallConn(); err == nil {
			_ = conn.Control(func(fd uintptr) { fds = append(fds, int(fd)) })
		}
	}
	return fds
}

// receiveFiles reads one byte that carries n descriptors.
func receiveFiles(conn *net.UnixConn, n int) ([]*os.File, error) {
	one, oob := make([]byte, 1), make([]byte, syscall.CmsgSpace(4*n))
	_, oobn, _, _, err := conn.ReadMsgUnix(one, oob)
	if err != nil {
		return nil, err
	}
	messages, err := syscall.ParseSocketControlMessage(oob[:oobn])
	if err != nil {
		return nil, err
	}
	var files []*os.File
	for _, m := range messages {
		fds, _ := syscall.ParseUnixRights(&m)
		for _, fd := range fds {
			syscall.CloseOnExec(fd)
			files = append(files, os.NewFile(uintptr(fd), "received"))
		}
	}
	if len(files) != n {
		for _, f := range files {
			f.Close()
		}
		return nil, muster.Errorf(muster.CodeInvalid, "", "%d descriptors came, not %d", len(files), n)
	}
	return files, nil
}
