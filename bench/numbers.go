package bench

import (
	"fmt"
	"math"
)

// bits is element i of a stream of 32 random bits each (Wellons' hash lowbias32
// of a counter), which any language with unsigned integers repeats.
func bits(stream, i int) uint32 {
	x := uint32(i) + uint32(stream)*0x9e3779b9
	x ^= x >> 16
	x *= 0x7feb352d
	x ^= x >> 15
	x *= 0x846ca68b
	return x ^ x>>16
}

// uniform returns the first n numbers of a stream, in [-1, 1) and exact in
// float32. The inputs of a work are its streams 1, 2 and so on.
func uniform(stream, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(bits(stream, i)>>8)*(1.0/(1<<23)) - 1
	}
	return x
}

// sampleLen is how many numbers stand for an array where two are compared.
const sampleLen = 256

// Sample returns the largest magnitude in x, which is not empty, and then the
// numbers at places that stream 0 draws.
func Sample(x []float64) []float64 {
	s := make([]float64, 1, 1+sampleLen)
	for _, v := range x {
		s[0] = max(s[0], math.Abs(v))
	}
	for i := range sampleLen {
		s = append(s, x[bits(0, i)%uint32(len(x))])
	}
	return s
}

// CheckAgreement compares a peer's samples with those wanted: no number may differ by more
// than the tolerance times the largest.
func CheckAgreement(want, got [][]float64, tolerance float64) error {
	if len(want) != len(got) {
		return fmt.Errorf("%d arrays, not %d", len(got), len(want))
	}
	for i, a := range want {
		b := got[i]
		if len(a) != len(b) {
			return fmt.Errorf("array %d: %d numbers, not %d", i, len(b), len(a))
		}
		for k, v := range a {
			if d := math.Abs(v - b[k]); !(d <= tolerance*a[0]) { // NaN differs
				return fmt.Errorf("array %d: %g, not %g, where the largest is %g", i, b[k], v, a[0])
			}
		}
	}
	return nil
}
