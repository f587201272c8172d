package proctree

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"strconv"
)

// Socket states as /proc/net prints them, in the kernel's TCP numbering.
const (
	stateClosed = 0x07 // a UDP socket that is bound and not connected
	stateListen = 0x0A
)

// acceptsConnections is SO_ACCEPTCON among the flags in /proc/net/unix.
const acceptsConnections = 0x10000

// eachRow calls visit with the columns of every row below the heading, until
// it returns false. The columns share one array.
func eachRow(table []byte, visit func(columns [][]byte) bool) {
	_, rows, _ := bytes.Cut(table, []byte("\n"))
	var columns [][]byte
	for row := range bytes.Lines(rows) {
		columns = columns[:0]
		for column := range bytes.FieldsSeq(row) {
			columns = append(columns, column)
		}
		if !visit(columns) {
			return
		}
	}
}

// inetRows calls visit with every socket of /proc/net/{tcp,udp}{,6} that is in
// the given state. The kernel prints all listening TCP sockets before any
// other; the first other one ends the walk, for there may be many thousands.
func inetRows(table []byte, state uint64, visit func(addr netip.AddrPort, inode uint64)) {
	eachRow(table, func(columns [][]byte) bool {
		if len(columns) < 10 {
			return true
		}
		if hexNumber(columns[3]) != state {
			return state != stateListen
		}
		inode, _ := number(columns[9])
		if addr, ok := parseAddr(columns[1]); ok {
			visit(addr, inode)
		}
		return true
	})
}

// pastListening reports whether the last whole row read of a TCP table is no
// longer one of a listening socket.
func pastListening(table []byte) bool {
	whole := table[:bytes.LastIndexByte(table, '\n')+1]
	last := bytes.LastIndexByte(bytes.TrimSuffix(whole, []byte("\n")), '\n')
	columns := bytes.Fields(whole[last+1:])
	return last >= 0 && len(columns) > 3 && hexNumber(columns[3]) != stateListen
}

// unixRows calls visit with every listening socket of /proc/net/unix.
func unixRows(table []byte, visit func(path string, inode uint64)) {
	eachRow(table, func(columns [][]byte) bool {
		if len(columns) < 8 || hexNumber(columns[3])&acceptsConnections == 0 {
			return true
		}
		inode, _ := number(columns[6])
		visit(string(bytes.Join(columns[7:], []byte(" "))), inode)
		return true
	})
}

// parseAddr reads "0100007F:1F90". The kernel prints each 32 bits of an
// address as one number in its own byte order, and the port in plain.
func parseAddr(text []byte) (netip.AddrPort, bool) {
	host, port, _ := bytes.Cut(text, []byte(":"))
	var raw [16]byte
	n, err := hex.Decode(raw[:], host[:min(len(host), 2*len(raw))])
	if err != nil || n != 4 && n != 16 {
		return netip.AddrPort{}, false
	}
	for word := raw[:n]; len(word) > 0; word = word[4:] {
		binary.NativeEndian.PutUint32(word, binary.BigEndian.Uint32(word))
	}
	addr, _ := netip.AddrFromSlice(raw[:n])
	return netip.AddrPortFrom(addr, uint16(hexNumber(port))), true
}

// hexNumber returns 0 for what is not a hexadecimal number.
func hexNumber(text []byte) uint64 {
	n, _ := strconv.ParseUint(string(text), 16, 64)
	return n
}
