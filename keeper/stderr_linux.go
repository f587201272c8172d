package keeper

import (
	"os"
	"syscall"
)

// redirectStderr makes a file our standard error, and standard output too.
func redirectStderr(path string) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return
	}
	defer file.Close()
	for fd := 1; fd <= 2; fd++ {
		_ = syscall.Dup3(int(file.Fd()), fd, 0)
	}
}
