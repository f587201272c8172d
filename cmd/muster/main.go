// Muster runs an application that is described as processes.
package main

import (
	"os"
	"runtime"

	"muster/cli"
)

// The keeper forks on the main thread: it is the one thread that survives when
// the keeper becomes a newer binary, and a child dies with the thread that
// forked it. Only here can a goroutine be tied to it.
func init() {
	if len(os.Args) > 1 && os.Args[1] == "keeper" {
		runtime.LockOSThread()
	}
}

func main() { os.Exit(cli.Main(os.Args[1:])) }
