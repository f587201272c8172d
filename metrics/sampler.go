// Package metrics measures processes. For now that is what `muster ps` shows:
// cpu, memory and listening ports, each of a whole process tree.
package metrics

import (
	"sync"
	"time"

	"muster/proctree"
)

// A Root is the process at the top of a tree, and how to tell what daemonized
// itself out of it.
type Root struct {
	Key   string // names the incarnation: CPU time of another one means nothing
	PID   int
	Start time.Time
	Mark  []string // environment entries that only its tree has
}

// A Usage is what a tree takes.
type Usage struct {
	CPUPercent  float64 // of one core
	MemoryBytes int64   // resident
	Ports       []int   // TCP, listening, sorted
	PIDs        []int
}

// A Sampler remembers the last sample, so that CPU is a rate and not an
// average over a life. It works only when asked.
type Sampler struct {
	mu   sync.Mutex // guards last
	last map[string]sample
}

type sample struct {
	at  time.Time
	cpu time.Duration
}

// minInterval is the least time between two samples that a rate is made of:
// the kernel counts CPU time in steps of 10 ms.
const minInterval = 200 * time.Millisecond

// Sample measures all roots in one look at /proc. adopter is the keeper's pid,
// the parent of whatever daemonized itself.
func (s *Sampler) Sample(roots []Root, adopter int) map[string]Usage {
	snapshot, err := proctree.Scan()
	if err != nil {
		return nil
	}
	now := time.Now()
	tops := map[int]bool{}
	for _, r := range roots {
		tops[r.PID] = true
	}
	var orphans []proctree.Proc
	for _, p := range snapshot.Children(adopter) {
		if !tops[p.PID] {
			orphans = append(orphans, p)
		}
	}
	listeners, _ := proctree.TCPListeners()
	usage := map[string]Usage{}
	seen := map[string]sample{}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range roots {
		u, cpu := measure(r, snapshot, orphans, listeners)
		u.CPUPercent = s.rate(r, cpu, now)
		seen[r.Key] = s.keep(r.Key, sample{now, cpu})
		usage[r.Key] = u
	}
	s.last = seen
	return usage
}

func measure(r Root, snapshot proctree.Snapshot, orphans []proctree.Proc, listeners []proctree.Listener) (u Usage, cpu time.Duration) {
	procs := snapshot.Descendants(r.PID)
	for _, o := range orphans {
		if o.SID == r.PID || proctree.HasEnv(o.PID, r.Mark...) {
			procs = append(procs, snapshot.Descendants(o.PID)...)
		}
	}
	var inodes []uint64
	for _, p := range procs {
		cpu += p.CPU
		u.MemoryBytes += p.RSS
		u.PIDs = append(u.PIDs, p.PID)
		if len(listeners) > 0 {
			own, _ := proctree.SocketInodes(p.PID)
			inodes = append(inodes, own...)
		}
	}
	u.Ports = proctree.TCPPorts(listeners, inodes)
	return u, cpu
}

func (s *Sampler) rate(r Root, cpu time.Duration, now time.Time) float64 {
	since, before := r.Start, time.Duration(0)
	if last, ok := s.last[r.Key]; ok && now.Sub(last.at) >= minInterval {
		since, before = last.at, last.cpu
	}
	elapsed := now.Sub(since)
	if elapsed <= 0 || cpu < before {
		return 0
	}
	return float64(int(1000*float64(cpu-before)/float64(elapsed))) / 10
}

func (s *Sampler) keep(key string, new sample) sample {
	if last, ok := s.last[key]; ok && new.at.Sub(last.at) < minInterval {
		return last
	}
	return new
}
