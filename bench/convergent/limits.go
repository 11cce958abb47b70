package main

import (
	"cmp"
	"fmt"
)

// atLeast is an error that names a flag whose value is too small.
func atLeast[T cmp.Ordered](flag string, value, least T) error {
	if value >= least {
		return nil
	}
	return fmt.Errorf("-%s is %v; it must be %v or more", flag, value, least)
}
