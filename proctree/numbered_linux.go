package proctree

import (
	"encoding/binary"
	"syscall"
)

// Offsets in the kernel's struct linux_dirent64.
const (
	direntLength = 16
	direntName   = 19
)

// eachNumbered calls visit with every name in the open directory dir that is a
// number: the pids of /proc, the descriptors of /proc/PID/fd. buf is scratch.
func eachNumbered(dir int, buf []byte, visit func(n int, name []byte) error) error {
	for {
		size, err := syscall.ReadDirent(dir, buf)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || size == 0 {
			return err
		}
		for rest := buf[:size]; len(rest) > direntName; {
			length := int(binary.NativeEndian.Uint16(rest[direntLength:]))
			name := digits(rest[direntName:length])
			if len(name) > 0 {
				n, _ := number(name)
				if err := visit(int(n), name); err != nil {
					return err
				}
			}
			rest = rest[length:]
		}
	}
}

// digits returns the name at the start of text, up to its NUL, or nothing when
// that is not a number.
func digits(text []byte) []byte {
	for i, c := range text {
		if c == 0 {
			return text[:i]
		}
		if c < '0' || c > '9' {
			return nil
		}
	}
	return nil
}
