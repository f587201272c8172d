package readiness

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
)

// tcpConnect asks whether a connection is taken. It says nothing on it.
func tcpConnect(host string, port int) asker {
	address := net.JoinHostPort(host, strconv.Itoa(port))
	return func(ctx context.Context) error {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", address)
		if err != nil {
			return fmt.Errorf("no connection to %s: %s", address, plain(err))
		}
		return conn.Close()
	}
}

// plain drops what the net package puts around the reason: the complaint names
// the address already.
func plain(err error) string {
	if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
		return "no answer in time"
	}
	var syscallErr *os.SyscallError
	if errors.As(err, &syscallErr) {
		return syscallErr.Err.Error()
	}
	var opErr *net.OpError
	if errors.As(err, &opErr) {
		return opErr.Err.Error()
	}
	return err.Error()
}
