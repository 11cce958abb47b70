package asm

import (
	"fmt"
	"os"
	"slices"
	"strings"
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

var active, tierError = choose(os.Getenv("CONVERGENT_CPU"))

// Active returns the tier in use.
func Active() Tier { return active }

// TierError returns an error if CONVERGENT_CPU names no tier, which must not pass for a
// choice. The tier in use is then the fastest, and results are the same as ever; programs
// should print the error and end.
func TierError() error { return tierError }

// Supported returns the tiers that this build can run on this machine, each faster than
// the one before.
func Supported() []Tier { return slices.Clone(supported) }

// choose returns the tier named, in capitals or not, or the fastest if no name is given or
// this machine does not have it, with an error where the name is no tier's.
func choose(name string) (Tier, error) {
	fastest := supported[len(supported)-1]
	var names []string
	for i, p := range tiers {
		if strings.EqualFold(p.name, name) {
			if slices.Contains(supported, Tier(i)) {
				return Tier(i), nil
			}
			return fastest, nil
		}
		names = append(names, p.name)
	}
	if name == "" {
		return fastest, nil
	}
	return fastest, fmt.Errorf("asm: CONVERGENT_CPU=%q is not one of %s", name, strings.Join(names, ", "))
}
