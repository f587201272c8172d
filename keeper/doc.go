// Package keeper is the parent of every process Muster runs, Muster's own
// daemon included. It is mechanism: fork, wait, signal, hold descriptors, and
// move what processes write into log segments. It has no policy, opens no
// network connection, and uses the standard library only, so that it has no
// reason to fail and no reason to be restarted.
//
// The daemon is policy. It may be killed at any moment; the keeper then goes
// on reading every pipe, holds every socket, remembers every exit until
// somebody has asked for it, and starts the daemon again.
//
//	keeper.go    the operations, and the tables they work on
//	fork.go      the one thread that forks
//	reap.go      exits, ours and those of orphans
//	tree.go      everything a process left behind
//	pump.go      pipe -> lines
//	segments.go  lines -> log segments on disk
//	wire.go      frames with descriptors, on a socket pair
//	server.go    the protocol's keeper side
//	client.go    the protocol's daemon side
//	daemon.go    keeping the daemon alive
//	upgrade.go   becoming a newer binary without losing anything
//
// Used in-process (muster dev) a Keeper is the same value without a protocol.
package keeper
