//go:build !purego

package asm

func detect() []Tier { return []Tier{Portable, NEON} }
