package asm

import (
	"fmt"
	"os"
	"slices"
)

// Tier is an instruction set that the kernels exist for. All give the same bits.
type Tier uint8

// The tiers.
const (
	Portable Tier = iota // Go alone
	AVX2                 // AVX2, FMA3 and BMI1
	AVX512               // AVX-512 F and VL besides
	NEON                 // Advanced SIMD, which every arm64 has
)

// parameters are all that the methods of a tier know of it.
type parameters struct {
	name                     string
	lanes                    int // float32 that kernels take at a time: a vector, or two of NEON's; 0 without kernels
	tile                     Tile
	productRows, productCols int // of a tile of Product
	narrowColumns            int // of a tile of Narrow, at most
}

var tiers = [...]parameters{
	Portable: {"portable", 0, Tile{4, 4, 8}, 6, 8, 8},
	AVX2:     {"avx2", 8, Tile{6, 4, 16}, 6, 8, 8},
	AVX512:   {"avx512", 16, Tile{12, 8, 32}, 12, 16, 16},
	NEON:     {"neon", 8, Tile{6, 4, 16}, 6, 8, 8},
}

// String returns the tier's name as CONVERGENT_CPU spells it.
func (t Tier) String() string { return tiers[t].name }

// supported are the tiers that this build can run on this machine, each faster than the
// one before.
var supported = detect()

var active = choose(os.Getenv("CONVERGENT_CPU"))

// Active returns the tier in use.
func Active() Tier { return active }

// Supported returns the tiers that this build can run on this machine, each faster than
// the one before.
func Supported() []Tier { return slices.Clone(supported) }

// choose returns the tier named, or the fastest where this machine does not have it or no
// name is given. A name that is no tier's is a mistake that must not pass for a choice.
func choose(name string) Tier {
	fastest := supported[len(supported)-1]
	if name == "" {
		return fastest
	}
	for i := range tiers {
		if t := Tier(i); tiers[i].name == name {
			if slices.Contains(supported, t) {
				return t
			}
			return fastest
		}
	}
	panic(fmt.Sprintf("asm: CONVERGENT_CPU=%q is not one of portable, avx2, avx512, neon", name))
}

const missingKernel = "asm: no such kernel in this build"
