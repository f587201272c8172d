package cgroup

import (
	"path"
	"strconv"
	"strings"
)

// A mount is one cgroup2 file system of /proc/self/mountinfo.
type mount struct {
	root     string // which group of the hierarchy is mounted
	dir      string // where
	readOnly bool
}

// parseMounts picks the cgroup2 mounts out of a mountinfo table. There is one
// on a machine of today, at /sys/fs/cgroup; one beside version 1, mostly at
// /sys/fs/cgroup/unified; and any number in containers.
func parseMounts(mountinfo string) []mount {
	var found []mount
	for line := range strings.Lines(mountinfo) {
		before, after, _ := strings.Cut(line, " - ")
		fields, source := strings.Fields(before), strings.Fields(after)
		if len(fields) < 6 || len(source) < 1 || source[0] != "cgroup2" {
			continue
		}
		super := ""
		if len(source) > 2 {
			super = source[2]
		}
		found = append(found, mount{
			root:     unescape(fields[3]),
			dir:      unescape(fields[4]),
			readOnly: hasOption(fields[5], "ro") || hasOption(super, "ro"),
		})
	}
	return found
}

func hasOption(list, option string) bool {
	return strings.Contains(","+list+",", ","+option+",")
}

// unescape undoes the \040 that mountinfo writes for blanks and backslashes.
func unescape(field string) string {
	var b strings.Builder
	for i := 0; i < len(field); i++ {
		if field[i] == '\\' && i+4 <= len(field) {
			if c, err := strconv.ParseUint(field[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(c))
				i += 3
				continue
			}
		}
		b.WriteByte(field[i])
	}
	return b.String()
}

// parseMembership returns the version 2 group a /proc/PID/cgroup table names,
// relative to the root of this cgroup namespace.
func parseMembership(table string) (group string, ok bool) {
	for line := range strings.Lines(table) {
		if group, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::"); ok {
			return group, true
		}
	}
	return "", false
}

// locate returns the directory of a group inside a mount, if the mount shows
// it: a container may see less than the whole hierarchy.
func (m mount) locate(group string) (dir string, ok bool) {
	inside, ok := strings.CutPrefix(group, strings.TrimSuffix(m.root, "/"))
	if !ok || inside != "" && inside[0] != '/' || strings.Contains(inside+"/", "/../") {
		return "", false
	}
	return path.Join(m.dir, inside), true
}
