//go:build !linux

package asm_test

import "testing"

// guarded returns n floats; guard pages are tested on Linux.
func guarded(t testing.TB, n int) []float32 { return make([]float32, n) }
