package mustertoml

// maxNesting bounds values inside values and the parts of a dotted key, far
// beyond what any key of ours needs. Without it a file of nothing but opening
// brackets would exhaust the stack of the TOML library, which ends the program.
const maxNesting = 100

// tooDeep returns the offset at which data nests too deep. data need not be
// valid: up to the first mistake, where the library stops, it is read as the
// library reads it.
func tooDeep(data []byte) (offset int, found bool) {
	s := &scanner{data: data}
	open, dots := 0, 0
	for s.skipSpace(); s.at < len(data); s.skipSpace() {
		switch data[s.at] {
		case '"', '\'':
			s.quoted()
			continue
		case '[', '{':
			open, dots = open+1, 0
		case ']', '}':
			open = max(open-1, 0)
		case '.':
			dots++
		case '=', ',':
			dots = 0
		}
		if open > maxNesting || dots > maxNesting {
			return s.at, true
		}
		s.at++
	}
	return 0, false
}
