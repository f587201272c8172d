//go:build !linux

package supervisor

func kernelKilled(int) bool { return false }
