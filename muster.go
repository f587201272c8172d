// Package muster is the glossary: the nouns of running an application as
// processes, and the contracts between the packages that do it.
//
// An App is a directory of code and what it says of itself. It has process
// types ("web", "worker"); the Formation says how many processes of each type
// should run. A running one is a Process, named by its type and slot:
// "web.1". Whatever happens is an Event.
//
// The words are Heroku's where Heroku has one. This package imports the
// standard library only and holds no behaviour beyond parsing and printing
// its own words.
package muster

// Version is the release this source tree builds. The linker may replace it.
var Version = "0.1.0-dev"
