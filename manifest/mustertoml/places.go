package mustertoml

import (
	"slices"
	"strconv"
	"strings"
)

// places are the offsets of keys and array elements in a text. The TOML
// library keeps them to itself.
type places struct {
	offset map[string]int // by joined path
	order  map[string]int // by joined path: which was met first
}

func newPlaces() *places {
	return &places{offset: map[string]int{}, order: map[string]int{}}
}

// meet records a key or element, unless it was met before: a table that is
// continued stands where it began.
func (p *places) meet(path []string, offset int) {
	name := join(path)
	if _, known := p.offset[name]; !known {
		p.offset[name], p.order[name] = offset, len(p.order)
	}
}

// ordered returns the keys of the table at path in the order of the file.
func (p *places) ordered(path []string, table map[string]any) []string {
	names := make([]string, 0, len(table))
	for name := range table {
		names = append(names, name)
	}
	slices.Sort(names) // for those that were not met
	slices.SortStableFunc(names, func(a, b string) int {
		return p.rank(child(path, a)) - p.rank(child(path, b))
	})
	return names
}

func (p *places) rank(path []string) int {
	if rank, ok := p.order[join(path)]; ok {
		return rank
	}
	return len(p.order)
}

// join makes a path a map key. No TOML key can hold its separator unnoticed:
// NUL is written \u0000 there, and such a key is unknown anyway.
func join(path []string) string { return strings.Join(path, "\x00") }

// index is the path element of the array element i; the NUL keeps it apart
// from a key that is a number.
func index(i int) string { return "\x00" + strconv.Itoa(i) }

// child returns path with one more element, sharing no memory with it.
func child(path []string, element string) []string {
	return append(path[:len(path):len(path)], element)
}
