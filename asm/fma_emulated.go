//go:build !(arm64 || riscv64 || ppc64le || s390x || loong64)

package asm

import "math"

// FMA returns x*y + z rounded once, as the instruction does.
//
// The product of two float32 is exact in float64, so only the sum is rounded
// before the conversion to float32. Rounding twice can differ from rounding
// once only where the float64 sum lies half-way between two float32, or where
// the result is subnormal and the half-way point is elsewhere; there the sum is
// rounded to odd instead (Boldo and Melquiond, "Emulation of FMA and correctly
// rounded sums", 2008), which keeps the sticky bit that the conversion needs.
func FMA(x, y, z float32) float32 {
	p := float64(float64(x) * float64(y))
	s := p + float64(z)
	if roundsTwice(s) {
		s = roundToOdd(p, float64(z))
	}
	return float32(s)
}

// roundsTwice reports whether a float64 sum may not be rounded to float32 as it is.
func roundsTwice(s float64) bool {
	const (
		tailMask  = 1<<29 - 1              // the bits of a float64 that a float32 lacks
		halfway   = 1 << 28                // such a tail half-way between two float32
		minNormal = uint64(1023-126) << 52 // the smallest normal float32
	)
	b := math.Float64bits(s)
	return b&tailMask == halfway || b&^(1<<63) < minNormal
}

// roundToOdd returns p+z where that is exact, else the neighbouring float64
// whose last bit is set.
func roundToOdd(p, z float64) float64 {
	s := p + z
	v := s - p
	e := (p - (s - v)) + (z - v) // exact error of s (Knuth's two-sum)
	if b := math.Float64bits(s); b&1 == 0 && (e > 0 || e < 0) {
		if (e > 0) == (s > 0) {
			b++
		} else {
			b--
		}
		s = math.Float64frombits(b)
	}
	return s
}

// addTerms4x4 adds n terms to 4 x 4 sums, one FMA each, k rising:
//
//	s[4*i+j] += a[i*row+k*col] * b[k*stride+j]
//
// Two sums are emulated at a time, which seldom need more than the sums in float64.
func addTerms4x4(s *[16]float32, n int, a []float32, row, col int, b []float32, stride int) {
	for i := range 4 {
		ai := a[i*row:]
		for j := 0; j < 4; j += 2 {
			s0, s1 := s[4*i+j], s[4*i+j+1]
			at := 0
			for k := range n {
				y := (*[2]float32)(b[k*stride+j:])
				x := float64(ai[at])
				p0, p1 := float64(x*float64(y[0])), float64(x*float64(y[1]))
				t0, t1 := p0+float64(s0), p1+float64(s1)
				if roundsTwice(t0) {
					t0 = roundToOdd(p0, float64(s0))
				}
				if roundsTwice(t1) {
					t1 = roundToOdd(p1, float64(s1))
				}
				s0, s1 = float32(t0), float32(t1)
				at += col
			}
			s[4*i+j], s[4*i+j+1] = s0, s1
		}
	}
}
