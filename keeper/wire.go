package keeper

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
)

// The protocol is one of frames on a Unix stream socket pair that the daemon
// is born with; it has no name in the file system, so nobody else can speak.
//
//	frame = length of body (4 bytes, big endian) · number of descriptors (1 byte) · body (JSON)
//
// Descriptors travel as SCM_RIGHTS with a frame's first byte. Every request
// carries a number that its reply repeats; replies may overtake each other.
// A frame with an operation and no number is a notice and has no reply.
type frame struct {
	Number uint64          `json:"n,omitempty"`
	Op     string          `json:"op,omitempty"`
	Body   json.RawMessage `json:"body,omitempty"`
	Error  string          `json:"error,omitempty"`
}

const (
	frameHeader   = 5
	maxFrame      = 16 << 20 // far above any environment the kernel accepts
	maxFrameFiles = 16
)

// A wire sends and receives frames. Send may be called from any goroutine,
// receive from one.
type wire struct {
	conn *net.UnixConn
	mu   sync.Mutex // guards the order of sends
}

func newWire(file *os.File) (*wire, error) {
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, fmt.Errorf("keeper socket: %w", err)
	}
	unix, ok := conn.(*net.UnixConn)
	if !ok {
		conn.Close()
		return nil, errors.New("keeper socket: not a Unix socket")
	}
	return &wire{conn: unix}, nil
}

func (w *wire) send(f frame, files []*os.File) error {
	body, err := json.Marshal(f)
	if err != nil {
		return err
	}
	if len(body) > maxFrame || len(files) > maxFrameFiles {
		return fmt.Errorf("keeper protocol: frame of %d bytes and %d descriptors is too large", len(body), len(files))
	}
	data := make([]byte, frameHeader, frameHeader+len(body))
	binary.BigEndian.PutUint32(data, uint32(len(body)))
	data[4] = byte(len(files))
	data = append(data, body...)
	rights, release := rightsOf(files)
	defer release()
	w.mu.Lock()
	defer w.mu.Unlock()
	n, _, err := w.conn.WriteMsgUnix(data, rights, nil)
	if err == nil && n < len(data) {
		_, err = w.conn.Write(data[n:])
	}
	return err
}

// rightsOf packs descriptors without putting their files into blocking mode,
// as File.Fd would.
func rightsOf(files []*os.File) (rights []byte, release func()) {
	if len(files) == 0 {
		return nil, func() {}
	}
	fds := make([]int, 0, len(files))
	for _, f := range files {
		if conn, err := f.SyscallConn(); err == nil {
			conn.Control(func(fd uintptr) {
				if dup, err := dupCloexec(int(fd)); err == nil {
					fds = append(fds, dup)
				}
			})
		}
	}
	return syscall.UnixRights(fds...), func() {
		for _, fd := range fds {
			syscall.Close(fd)
		}
	}
}

func (w *wire) receive() (f frame, files []*os.File, err error) {
	var header [frameHeader]byte
	oob := make([]byte, syscall.CmsgSpace(4*maxFrameFiles))
	n, oobn, _, _, err := w.conn.ReadMsgUnix(header[:], oob)
	if err != nil {
		return frame{}, nil, err
	}
	if n == 0 {
		return frame{}, nil, io.EOF
	}
	files, err = filesOf(oob[:oobn])
	if err == nil {
		_, err = io.ReadFull(w.conn, header[n:])
	}
	if err == nil {
		err = w.receiveBody(header, len(files), &f)
	}
	if err != nil {
		closeAll(files)
		return frame{}, nil, err
	}
	return f, files, nil
}

func (w *wire) receiveBody(header [frameHeader]byte, files int, f *frame) error {
	length := binary.BigEndian.Uint32(header[:])
	if length > maxFrame || int(header[4]) != files {
		return fmt.Errorf("keeper protocol: frame announces %d bytes and %d descriptors, %d came", length, header[4], files)
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(w.conn, body); err != nil {
		return err
	}
	return json.Unmarshal(body, f)
}

func filesOf(oob []byte) ([]*os.File, error) {
	messages, err := syscall.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, err
	}
	var files []*os.File
	for _, m := range messages {
		fds, err := syscall.ParseUnixRights(&m)
		if err != nil {
			continue
		}
		for _, fd := range fds {
			syscall.CloseOnExec(fd)
			files = append(files, os.NewFile(uintptr(fd), "received"))
		}
	}
	return files, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

func (w *wire) close() { w.conn.Close() }
