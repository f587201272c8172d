package e2e

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// beServer answers every connection on the socket it was given, systemd's way.
func beServer([]string) {
	if os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) || os.Getenv("LISTEN_FDS") != "1" {
		fmt.Printf("no socket for pid %d: LISTEN_PID=%s LISTEN_FDS=%s\n", os.Getpid(), os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDS"))
		os.Exit(3)
	}
	listener, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				panic(err)
			}
			go answer(conn)
		}
	}()
	awaitTerm()
}

func answer(conn net.Conn) {
	defer conn.Close()
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil {
		fmt.Fprintf(conn, "%d %s", os.Getpid(), line)
	}
}

func awaitTerm() {
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	<-term
}

func beSleeper([]string) { awaitTerm() }

// Callers connect again and again, and count what goes wrong.
type callers struct {
	address string
	stop    chan struct{}
	done    sync.WaitGroup
	calls   atomic.Int64
	mu      sync.Mutex // guards failures
	failed  []string
}

func call(address string, n int) *callers {
	c := &callers{address: address, stop: make(chan struct{})}
	for range n {
		c.done.Go(c.loop)
	}
	return c
}

// callPause keeps the callers from using up the machine's ports.
const callPause = 8 * time.Millisecond

func (c *callers) loop() {
	for {
		select {
		case <-c.stop:
			return
		case <-time.After(callPause):
		}
		if err := c.once(); err != nil {
			c.mu.Lock()
			c.failed = append(c.failed, fmt.Sprintf("call %d: %v", c.calls.Load(), err))
			c.mu.Unlock()
		}
		c.calls.Add(1)
	}
}

func (c *callers) once() error {
	conn, err := net.DialTimeout("tcp", c.address, patience)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := fmt.Fprintln(conn, "hello"); err != nil {
		return err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && !strings.HasSuffix(line, " hello\n") {
		err = fmt.Errorf("answered %q", line)
	}
	return err
}

// end stops the callers and returns what went wrong.
func (c *callers) end() []string {
	close(c.stop)
	c.done.Wait()
	return c.failed
}

// freePort is one that nobody listened on just now, below the range the kernel
// hands out to the callers.
func freePort() int {
	for port := 20000 + os.Getpid()%8000; ; port++ {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			l.Close()
			return port
		}
	}
}
