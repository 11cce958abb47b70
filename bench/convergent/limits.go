package main

import (
	"cmp"
	"fmt"
)

// The largest values of flags: far beyond what anyone wants, and before numbers overflow or
// memory ends in a trace of the runtime.
const (
	mostThreads = 4096
	mostDraws   = 1_000_000 // of rotations, exchanges and clusters' starts
	mostGroups  = 100_000
	mostUnits   = 1 << 24
	mostEpochs  = 1_000_000
	mostImages  = 10_000_000
	mostEdge    = 1 << 16 // of an image
)

// within is an error that names a flag whose value is too small or too large.
func within[T cmp.Ordered](flag string, value, least, most T) error {
	switch {
	case value > most:
		return fmt.Errorf("-%s is %v; it must be %v or less", flag, value, most)
	case value >= least:
		return nil
	}
	return fmt.Errorf("-%s is %v; it must be %v or more", flag, value, least)
}
