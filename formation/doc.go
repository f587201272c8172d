// Package formation decides. It is pure: nothing here starts a process, reads
// a clock or waits. What an app wants and what is observed go in; what to do
// comes out.
//
//	diff.go     two readings of an app -> what a start changes
//	machine.go  one slot: (state, event) -> (state, actions)
//	restart.go  when an ended process is started again
//	order.go    who may start or stop before whom
package formation
