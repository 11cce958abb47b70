package asm

import (
	"fmt"
	"os"
	"strings"
)

// Tier is an instruction set that the kernels exist for. Higher tiers are
// faster; all give the same bits.
type Tier uint8

// The tiers, in rising order.
const (
	Portable Tier = iota // Go alone
	AVX2                 // AVX2, FMA3 and BMI1
	AVX512               // AVX-512 F and VL besides
)

var tierNames = [...]string{Portable: "portable", AVX2: "avx2", AVX512: "avx512"}

// String returns the tier's name as CONVERGENT_CPU spells it.
func (t Tier) String() string { return tierNames[t] }

// highest is the highest tier of this build on this machine.
var highest = detect()

var active, tierError = lower(highest, os.Getenv("CONVERGENT_CPU"))

// Active returns the tier in use.
func Active() Tier { return active }

// TierError returns an error if CONVERGENT_CPU names no tier, which must not pass for a
// choice. The tier in use is then the highest, and results are the same as ever; programs
// should print the error and end.
func TierError() error { return tierError }

// Supported returns the tiers that this build can run on this machine, rising.
func Supported() []Tier {
	all := []Tier{Portable, AVX2, AVX512}
	return all[:highest+1]
}

// lower returns the tier named, in capitals or not, or t where that is lower or no name is
// given, and t with an error where the name is no tier's.
func lower(t Tier, name string) (Tier, error) {
	if name == "" {
		return t, nil
	}
	for i, n := range tierNames {
		if strings.EqualFold(n, name) {
			return min(t, Tier(i)), nil
		}
	}
	return t, fmt.Errorf("asm: CONVERGENT_CPU=%q is not one of %s", name, strings.Join(tierNames[:], ", "))
}
