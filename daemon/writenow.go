package daemon

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// sendPatience is how long a full pipe may take to make room.
const sendPatience = time.Second

// writeNow writes without waiting for a reader that does not read. The
// descriptor is a duplicate of the keeper's, which is in non-blocking mode.
func writeNow(file *os.File, data []byte) error {
	if err := file.SetWriteDeadline(time.Now().Add(sendPatience)); err != nil && !errors.Is(err, os.ErrNoDeadline) {
		return err
	}
	_, err := file.Write(data)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errors.New("its pipe is full")
	case errors.Is(err, syscall.EPIPE):
		return errors.New("it has closed it")
	}
	return err
}
