//go:build !linux

package source

import "os"

// widen has pipes as they are.
func widen(*os.File) {}
