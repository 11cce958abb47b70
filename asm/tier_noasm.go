//go:build (!amd64 && !arm64) || purego

package asm

func detect() []Tier { return []Tier{Portable} }
