package proctree

import "bytes"

// kernelThread is PF_KTHREAD among the flags of a stat line. Kernel threads
// are told by it and not by their parent's pid 2, which inside a pid
// namespace belongs to an ordinary process.
const kernelThread = 0x00200000

// A namer turns the bytes of a name into a string.
type namer func([]byte) string

// parseStat reads the text of /proc/PID/stat. The name stands in parentheses
// and may hold spaces, newlines and parentheses itself, so that only the last
// closing one ends it. ok is false for kernel threads and for torn lines.
func parseStat(text []byte, pageSize int64, name namer) (p Proc, ok bool) {
	open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if open < 1 || end < open || end+4 > len(text) {
		return Proc{}, false
	}
	pid, _ := number(text[:open])
	p = Proc{PID: int(pid), State: text[end+2]}
	f := fields{text[end+4:]}
	p.PPID, p.PGID, p.SID = int(f.next()), int(f.next()), int(f.next())
	f.skip(2) // terminal and its foreground group
	if f.next()&kernelThread != 0 {
		return Proc{}, false
	}
	f.skip(4) // page faults
	user, system := f.next(), f.next()
	p.CPU = ticks(user + system)
	f.skip(4) // CPU of reaped children, priority, nice
	p.Threads = int(f.next())
	f.skip(1) // an interval timer that is always 0
	p.Start = f.next()
	f.skip(1) // virtual size
	if len(f.rest) == 0 {
		return Proc{}, false
	}
	p.RSS = int64(f.next()) * pageSize
	p.Comm = name(text[open+1 : end])
	return p, true
}

// fields walks numbers that single spaces divide.
type fields struct{ rest []byte }

// next returns the next number. The sign of a negative one is dropped: none of
// those that are kept can be negative.
func (f *fields) next() uint64 {
	n, used := number(f.rest)
	f.rest = f.rest[used:]
	return n
}

func (f *fields) skip(n int) {
	for range n {
		i := bytes.IndexByte(f.rest, ' ')
		f.rest = f.rest[i+1:]
	}
}

// number reads one decimal number and the single byte that ends it, and
// returns how many bytes that took.
func number(text []byte) (n uint64, used int) {
	for i, c := range text {
		switch {
		case '0' <= c && c <= '9':
			n = n*10 + uint64(c-'0')
		case c != '-':
			return n, i + 1
		}
	}
	return n, len(text)
}
