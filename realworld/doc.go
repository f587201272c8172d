// Package realworld has no code, only tests: programs that nobody here wrote,
// installed from the npm registry and run unmodified under a built Muster.
// What a test needs and the machine lacks (npm, the registry, python3) makes it
// skip, with the reason.
package realworld
