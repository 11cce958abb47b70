//go:build !purego

package asm

import "github.com/klauspost/cpuid/v2"

// detect asks for AVX2, FMA3 and BMI1 separately, since machines exist with some
// alone; cpuid reports AVX2 and AVX-512 only if the operating system saves their
// registers.
func detect() []Tier {
	switch {
	case cpuid.CPU.Supports(cpuid.AVX2, cpuid.FMA3, cpuid.BMI1, cpuid.AVX512F, cpuid.AVX512VL):
		return []Tier{Portable, AVX2, AVX512}
	case cpuid.CPU.Supports(cpuid.AVX2, cpuid.FMA3, cpuid.BMI1):
		return []Tier{Portable, AVX2}
	}
	return []Tier{Portable}
}
