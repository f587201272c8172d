package proctree

import (
	"cmp"
	"net"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Both ways to ask must say the same of the sockets this test opens.
func TestDiagnosisAgreesWithTheTables(t *testing.T) {
	ports := map[uint16]bool{}
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Logf("without %s: %v", address, err)
			continue
		}
		defer l.Close()
		ports[uint16(l.Addr().(*net.TCPAddr).Port)] = true
	}
	diagnosed, err := diagnose(0)
	if err != nil {
		t.Skip(err)
	}
	read, err := tabulated()
	if err != nil {
		t.Fatal(err)
	}
	own := func(all []Listener) []Listener {
		all = slices.DeleteFunc(all, func(l Listener) bool { return !ports[l.Addr.Port()] })
		slices.SortFunc(all, func(a, b Listener) int { return cmp.Compare(a.Inode, b.Inode) })
		return all
	}
	diff := gocmp.Diff(own(read), own(diagnosed), cmpopts.EquateComparable(Listener{}))
	if diff != "" || len(own(read)) != len(ports) {
		t.Errorf("%d sockets (-tables +diagnosis):\n%s", len(own(read)), diff)
	}
}

func BenchmarkListening(b *testing.B) {
	b.Run("diagnosis", func(b *testing.B) {
		for b.Loop() {
			if _, err := diagnose(1); err != nil {
				b.Skip(err)
			}
		}
	})
	b.Run("tables", func(b *testing.B) {
		for b.Loop() {
			if _, err := tabulated(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
