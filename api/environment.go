package api

import (
	"muster"
	"muster/supervisor"
)

// What a face needs to know before anything runs, as the supervisor will do it.
var (
	// ShellEnvironment returns what of an environment is worth giving to
	// processes; keepTerminal leaves what describes the terminal (muster dev).
	ShellEnvironment = supervisor.ShellEnvironment
	// PortOf is the PORT of the nth process of an app's type number i.
	PortOf = supervisor.PortOf
	// EnvironmentNames are the variables a process of a type finds.
	EnvironmentNames = supervisor.EnvironmentNames
)

// FinalCommand is what is executed for a process type.
func FinalCommand(t muster.ProcessType) []string { return supervisor.FinalCommand(t) }
