package proctree

import (
	"cmp"
	"slices"
)

// A Snapshot is the processes that one scan met. It does not change, and may
// be read by many at once.
type Snapshot struct {
	procs    []Proc  // by pid
	children []int32 // indexes into procs, by parent and then by pid
}

// newSnapshot takes procs over.
func newSnapshot(procs []Proc) Snapshot {
	byPID := func(a, b Proc) int { return cmp.Compare(a.PID, b.PID) }
	if !slices.IsSortedFunc(procs, byPID) { // /proc lists pids in order
		slices.SortFunc(procs, byPID)
	}
	children := make([]int32, len(procs))
	for i := range children {
		children[i] = int32(i)
	}
	slices.SortFunc(children, func(a, b int32) int {
		return cmp.Or(cmp.Compare(procs[a].PPID, procs[b].PPID), cmp.Compare(a, b))
	})
	return Snapshot{procs: procs, children: children}
}

// Len is the number of processes met.
func (s Snapshot) Len() int { return len(s.procs) }

// ByPID looks one process up.
func (s Snapshot) ByPID(pid int) (Proc, bool) {
	i, ok := s.index(pid)
	if !ok {
		return Proc{}, false
	}
	return s.procs[i], true
}

func (s Snapshot) index(pid int) (int, bool) {
	return slices.BinarySearchFunc(s.procs, pid, func(p Proc, pid int) int {
		return cmp.Compare(p.PID, pid)
	})
}

// Children returns the processes whose parent is pid, by pid.
func (s Snapshot) Children(pid int) []Proc {
	var found []Proc
	for _, i := range s.childIndexes(pid) {
		found = append(found, s.procs[i])
	}
	return found
}

func (s Snapshot) childIndexes(pid int) []int32 {
	byParent := func(i int32, pid int) int { return cmp.Compare(s.procs[i].PPID, pid) }
	from, ok := slices.BinarySearchFunc(s.children, pid, byParent)
	if !ok {
		return nil
	}
	upTo, _ := slices.BinarySearchFunc(s.children[from:], pid+1, byParent)
	return s.children[from : from+upTo]
}

// Descendants returns pid's process, its children, theirs and so on, parents
// before children. When pid itself ended during the scan, what was its own by
// then is returned all the same. Processes that left the tree by losing their
// parent are not found here: they are in a Session or carry a mark for HasEnv.
func (s Snapshot) Descendants(pid int) []Proc {
	var found []Proc
	if root, ok := s.ByPID(pid); ok {
		found = append(found, root)
	}
	// A pid reused during the scan could close a circle; visited opens it.
	visited := make([]bool, len(s.procs))
	if i, ok := s.index(pid); ok {
		visited[i] = true
	}
	for queue := []int{pid}; len(queue) > 0; queue = queue[1:] {
		for _, i := range s.childIndexes(queue[0]) {
			if visited[i] {
				continue
			}
			visited[i] = true
			found = append(found, s.procs[i])
			queue = append(queue, s.procs[i].PID)
		}
	}
	return found
}

// Session returns the members of the session sid, by pid.
func (s Snapshot) Session(sid int) []Proc {
	return s.where(func(p *Proc) bool { return p.SID == sid })
}

// Group returns the members of the process group pgid, by pid.
func (s Snapshot) Group(pgid int) []Proc {
	return s.where(func(p *Proc) bool { return p.PGID == pgid })
}

// All returns every process met, by pid.
func (s Snapshot) All() []Proc { return slices.Clone(s.procs) }

func (s Snapshot) where(holds func(*Proc) bool) []Proc {
	var found []Proc
	for i := range s.procs {
		if holds(&s.procs[i]) {
			found = append(found, s.procs[i])
		}
	}
	return found
}
