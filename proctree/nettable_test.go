package proctree

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const tcpTable = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0000000000000000 100 0 0 10 0
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 222 1 0000000000000000 100 0 0 10 0
   2: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 333 1 0000000000000000 20 4 30 10 -1
`

const tcp6Table = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000001000000:0BB8 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 444 1 0000000000000000 100 0 0 10 0
`

func TestInetRows(t *testing.T) {
	got := map[uint64]string{}
	for _, table := range []string{tcpTable, tcp6Table} {
		inetRows([]byte(table), stateListen, func(addr netip.AddrPort, inode uint64) { got[inode] = addr.String() })
	}
	want := map[uint64]string{111: "127.0.0.1:8080", 222: "0.0.0.0:22", 444: "[::1]:3000"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sockets (-want +got):\n%s", diff)
	}
}

func TestPastListening(t *testing.T) {
	rows := strings.SplitAfter(tcpTable, "\n")
	for want, table := range map[string]string{
		"heading only":        rows[0],
		"still listening":     rows[0] + rows[1],
		"past it, row torn":   rows[0] + rows[1] + rows[3][:40],
		"past it, row whole":  tcpTable,
		"nothing":             "",
		"heading is cut":      rows[0][:20],
		"past it, next begun": tcpTable + rows[3][:10],
	} {
		past := want == "past it, row whole" || want == "past it, next begun"
		if got := pastListening([]byte(table)); got != past {
			t.Errorf("%s: past listening is %v", want, got)
		}
	}
}

func TestUnixRows(t *testing.T) {
	const table = `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 555 /run/app/my sock
0000000000000000: 00000003 00000000 00000000 0001 03 666 /run/app/other
0000000000000000: 00000002 00000000 00010000 0001 01 777
0000000000000000: 00000002 00000000 00010000 0001 01 888 @abstract
`
	got := map[uint64]string{}
	unixRows([]byte(table), func(path string, inode uint64) { got[inode] = path })
	if diff := cmp.Diff(map[uint64]string{555: "/run/app/my sock", 888: "@abstract"}, got); diff != "" {
		t.Errorf("sockets (-want +got):\n%s", diff)
	}
}

func FuzzInetRows(f *testing.F) {
	f.Add(tcpTable)
	f.Add(tcp6Table)
	f.Fuzz(func(t *testing.T, table string) {
		inetRows([]byte(table), stateListen, func(netip.AddrPort, uint64) {})
		pastListening([]byte(table))
	})
}
