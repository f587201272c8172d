// Package e2e holds Muster to its main promise from the outside: whatever is
// killed, no process restarts, no connection is refused, no log line is lost.
// It drives the real binary as a user would, in a home of its own.
//
//	main_test.go       building the binary; the programs the tests' apps run
//	home_test.go       one Muster: commands, what it says, taking it down
//	proc_test.go       the processes of this machine
//	writer_test.go     a program that writes numbered lines, and keeps a copy
//	server_test.go     a program on a socket of Muster's, and its callers
//	load_test.go       an app of both, and the checks that nothing was lost
//	daemon_test.go     kill -9 of the daemon, hundreds of times
//	upgrade_test.go    one binary after the other
//	handover_test.go   what ends while no daemon lives
//	keeper_test.go     kill -9 of the keeper
//	everything_test.go kill -9 of everything in the middle of a command
//	stubborn_test.go   what has to be killed does not harm its successor
package e2e
