//go:build !linux

package api

import "net"

// ownersOnly relies on the socket's mode and its directory's: only Linux's way
// of asking who is calling is known here.
type ownersOnly struct{ net.Listener }
