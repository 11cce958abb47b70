package artifact

import "sync/atomic"

var kept atomic.Bool

// Keep notes that there is something that a program that is stopped goes on from, as Seal and
// Unseal do of what they write and find.
func Keep() { kept.Store(true) }

// Kept reports whether there is.
func Kept() bool { return kept.Load() }
