package main

import "os"

// size is the shipped binary's.
func (b *bench) size() error {
	info, err := os.Stat(b.binary)
	if err != nil {
		return err
	}
	b.table.add("binary, stripped", megabytes(info.Size()), "-", "<= 40 MB")
	return nil
}
