package api

import (
	"fmt"
	"strings"
)

// Reference is the table of requests in docs/api.md.
func Reference() string {
	var b strings.Builder
	b.WriteString("| request | does |\n| --- | --- |\n")
	for _, r := range routes {
		fmt.Fprintf(&b, "| `%s` | %s |\n", r.Pattern, r.Does)
	}
	return b.String()
}
