package source

import (
	"fmt"
	"strings"

	"muster"
)

// Complaints are everything that is wrong with a file, in the order of the
// file, so that a person can mend it in one go.
type Complaints []*muster.Error

// shown bounds what is printed: a file of another kind altogether would
// otherwise scroll the first and telling line away.
const shown = 10

// Add appends what err complains about. A nil *muster.Error is no complaint.
func (c *Complaints) Add(err error) {
	switch e := err.(type) {
	case nil:
	case *muster.Error:
		if e != nil {
			*c = append(*c, e)
		}
	case Complaints:
		*c = append(*c, e...)
	default:
		*c = append(*c, muster.AsError(err))
	}
}

// Error prints one complaint a line, and how many more there are.
func (c Complaints) Error() string {
	var b strings.Builder
	for i, e := range c[:min(len(c), shown)] {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(e.Error())
	}
	if more := len(c) - shown; more > 0 {
		fmt.Fprintf(&b, "\nand %d more", more)
	}
	return b.String()
}

// Unwrap lets errors.Is look into every complaint.
func (c Complaints) Unwrap() []error {
	errs := make([]error, len(c))
	for i, e := range c {
		errs[i] = e
	}
	return errs
}

// As gives muster.AsError one Error that stands at the first complaint and
// prints them all.
func (c Complaints) As(target any) bool {
	as, ok := target.(**muster.Error)
	if !ok || len(c) == 0 {
		return false
	}
	all := *c[0]
	if len(c) > 1 {
		all.Message, all.Hint = c.Error(), ""
		if all.Pos != nil {
			all.Message = strings.TrimPrefix(all.Message, all.Pos.String()+": ")
		}
	}
	*as = &all
	return true
}

// Err returns nil for no complaint, the complaint itself for one, and the list
// for more.
func (c Complaints) Err() error {
	switch len(c) {
	case 0:
		return nil
	case 1:
		return c[0]
	}
	return c
}
