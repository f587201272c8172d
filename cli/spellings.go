package cli

import (
	"slices"
	"strings"
)

// translate accepts Heroku's spellings of commands (ps:scale, config:set) and
// PM2's, where they mean the same. Everything after the command stays as it is.
func translate(args []string) []string {
	for i, arg := range args {
		switch words, ok := spellings[arg]; {
		case strings.HasPrefix(arg, "-"), i > 0 && (args[i-1] == "-a" || args[i-1] == "--app"):
			continue // an option, or its value
		case ok:
			return slices.Concat(args[:i], words, args[i+1:])
		}
		return args
	}
	return args
}

var spellings = map[string][]string{
	"ps:scale":     {"scale"},
	"ps:restart":   {"restart"},
	"ps:stop":      {"stop"},
	"config:set":   {"config", "set"},
	"config:get":   {"config", "get"},
	"config:unset": {"config", "unset"},
	"kill":         {"daemon", "stop"},
	"update":       {"daemon", "upgrade"},
	"sendSignal":   {"signal"},
}
