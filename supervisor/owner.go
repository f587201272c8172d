package supervisor

import (
	"fmt"
	"os"
	"os/user"
	"strconv"

	"muster"
	"muster/keeper"
)

// setOwner resolves the user and group a process type asks for. Names are
// looked up at every start, so that a changed account counts from then on.
func setOwner(spec *keeper.Spec, t muster.ProcessType) error {
	if t.User == "" && t.Group == "" {
		return nil
	}
	if os.Getuid() != 0 {
		return fmt.Errorf("user and group need a Muster that runs as root")
	}
	if t.User != "" {
		u, err := lookupUser(t.User)
		if err != nil {
			return err
		}
		spec.UID, spec.GID = number(u.Uid), number(u.Gid)
		spec.Groups = groupsOf(u)
	}
	if t.Group != "" {
		g, err := lookupGroup(t.Group)
		if err != nil {
			return err
		}
		spec.GID = number(g.Gid)
	}
	return nil
}

// CheckOwner refuses a user or group that is not there, before anything starts.
func CheckOwner(t muster.ProcessType) error {
	var spec keeper.Spec
	if err := setOwner(&spec, t); err != nil {
		return muster.Errorf(muster.CodeInvalid, "an account of this machine, as root", "process type %s: %w", t.Name, err)
	}
	return nil
}

func lookupUser(name string) (*user.User, error) {
	if u, err := user.Lookup(name); err == nil {
		return u, nil
	}
	if u, err := user.LookupId(name); err == nil {
		return u, nil
	}
	return nil, fmt.Errorf("there is no user %q on this machine", name)
}

func lookupGroup(name string) (*user.Group, error) {
	if g, err := user.LookupGroup(name); err == nil {
		return g, nil
	}
	if g, err := user.LookupGroupId(name); err == nil {
		return g, nil
	}
	return nil, fmt.Errorf("there is no group %q on this machine", name)
}

func groupsOf(u *user.User) []uint32 {
	var groups []uint32
	ids, _ := u.GroupIds()
	for _, id := range ids {
		groups = append(groups, *number(id))
	}
	return groups
}

func number(id string) *uint32 {
	n, _ := strconv.ParseUint(id, 10, 32)
	v := uint32(n)
	return &v
}
