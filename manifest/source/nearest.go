package source

import "strings"

// Nearest returns the word a person most likely meant by word. ok is false
// when none is near: a third of the letters may be wrong, and at least one.
func Nearest(word string, among []string) (nearest string, ok bool) {
	if len(word) > 64 {
		return "", false // no known word is near, and the distance costs a square
	}
	best := max(1, len(word)/3) + 1
	for _, candidate := range among {
		d := distance(strings.ToLower(word), strings.ToLower(candidate))
		if d < best && candidate != word {
			nearest, best = candidate, d
		}
	}
	return nearest, nearest != ""
}

// distance counts the letters to insert, delete, replace or swap with their
// neighbour (optimal string alignment) to turn a into b.
func distance(a, b string) int {
	var before []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			replace := row[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			next[j] = min(replace, row[j]+1, next[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
