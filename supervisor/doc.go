// Package supervisor is the local engine: it carries out on this machine what
// formation decides, through the keeper.
//
// One goroutine owns every slot. Whatever happens (a command, an exit, a
// probe's answer, a timer) is posted to it as a function and applied in order;
// the slot's formation.Machine says what follows, and the actions are carried
// out. So there are no locks and no booleans that stand for states.
//
//	supervisor.go  the owner goroutine and its inbox
//	app.go         apps: applying what is desired, order of start and stop
//	slot.go        one slot: inputs in, actions out
//	spawn.go       process type + slot -> keeper.Spec
//	command.go     how a command line becomes a process
//	environment.go what a process finds in its environment
//	ports.go       which PORT a slot has
//	sockets.go     listening sockets that outlive processes
//	probe.go       readiness and health
//	stop.go        asking, waiting, killing
//	exit.go        why it ended, in words
//	settle.go      whether a command's wish has come true
//	adopt.go       taking over what an earlier daemon left running
//	oneoff.go      muster run
package supervisor
