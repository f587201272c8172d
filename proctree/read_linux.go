package proctree

import (
	"syscall"
	"unsafe"
)

// Files of /proc are opened, read and closed by bare system calls: package os
// would offer each one to the runtime's poller, which costs more than reading.

// openAt opens path, which ends in a NUL byte, below the directory dir.
func openAt(dir int, path []byte) (fd int, err error) {
	for {
		r, _, errno := syscall.Syscall6(syscall.SYS_OPENAT, uintptr(dir), uintptr(unsafe.Pointer(&path[0])),
			syscall.O_RDONLY|syscall.O_CLOEXEC, 0, 0, 0)
		switch errno {
		case 0:
			return int(r), nil
		case syscall.EINTR:
		default:
			return -1, errno
		}
	}
}

// readAll reads a file to its end into buf, which it lets grow. The result
// keeps buf's memory for the next time.
func readAll(path string, buf []byte) ([]byte, error) {
	return readUntil(path, buf, func([]byte) bool { return false })
}

// readUntil is readAll that ends as soon as what was read is enough.
func readUntil(path string, buf []byte, enough func([]byte) bool) ([]byte, error) {
	buf = buf[:0]
	fd, err := open(path)
	if err != nil {
		return buf, err
	}
	defer syscall.Close(fd)
	for {
		if cap(buf)-len(buf) < 4096 {
			buf = append(make([]byte, 0, 2*cap(buf)+16384), buf...)
		}
		n, err := read(fd, buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+max(n, 0)]
		if err != nil || n == 0 || enough(buf) {
			return buf, err
		}
	}
}

func open(path string) (fd int, err error) {
	for {
		fd, err = syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		if err != syscall.EINTR {
			return fd, err
		}
	}
}

func read(fd int, buf []byte) (int, error) {
	for {
		n, err := syscall.Read(fd, buf)
		if err != syscall.EINTR {
			return n, err
		}
	}
}
