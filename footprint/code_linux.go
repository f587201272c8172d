package footprint

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// dropCode lets go of the pages of our own program file that can be read again
// at any time: most of them were touched once, while starting. Those still in
// use come back with the next instruction that needs them, from the page cache.
func dropCode() {
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return
	}
	defer maps.Close()
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var from, to uintptr
		var mode string
		if n, _ := fmt.Sscanf(lines.Text(), "%x-%x %s", &from, &to, &mode); n != 3 {
			continue
		}
		// Never a writable mapping: its pages may differ from the file.
		if strings.HasPrefix(mode, "r") && mode[1] == '-' && strings.HasSuffix(lines.Text(), self) {
			syscall.Syscall(syscall.SYS_MADVISE, from, to-from, syscall.MADV_DONTNEED)
		}
	}
}
