package asm

import "math"

// Columns are what Centre knows of columns and notes of them, an element of each slice
// for every column. They are of the same length.
type Columns struct {
	Shift   []float32 // what is taken from each element
	First   []float32 // the first value of all
	Sum     []float64 // of what was packed
	Largest []uint32  // magnitude of what was packed, as the bits of a float32
	Varied  []uint32  // all ones once an element was not equal to First
}

// centreRun is how many rows Centre sums by themselves.
const centreRun = 16

// Centre packs n rows of src, which lie stride apart, with the shift taken from each
// column, into rows of dst that lie ld apart, and notes of the columns:
//
//	dst[k*ld+i] = src[k*stride+i] - Shift[i]
//	Sum[i] += the sum of each 16 rows of dst in turn, which is in float32
//	Largest[i] = max(Largest[i], |dst[i]|, |dst[ld+i]|, ...)
//	Varied[i] |= ^0 if src[k*stride+i] != First[i]
//
// Magnitudes are compared by their bits, so that infinity is above all numbers and NaN is
// above infinity.
func (t Tier) Centre(n int, dst []float32, ld int, src []float32, stride int, c Columns) {
	r := len(c.Shift)
	if n == 0 || r == 0 {
		return
	}
	_, _ = dst[(n-1)*ld+r-1], src[(n-1)*stride+r-1]
	first, sum, largest, varied := c.First[:r], c.Sum[:r], c.Largest[:r], c.Varied[:r]
	i := 0
	for end := t.kernelLen(r, 8); i < end; {
		switch {
		case tiers[t].lanes == 16 && end-i >= 32:
			centre32(n, &dst[i], ld, &src[i], stride, &c.Shift[i], &first[i], &sum[i], &largest[i], &varied[i])
			i += 32
		case end-i >= 16:
			centre16(n, &dst[i], ld, &src[i], stride, &c.Shift[i], &first[i], &sum[i], &largest[i], &varied[i])
			i += 16
		default:
			centre8(n, &dst[i], ld, &src[i], stride, &c.Shift[i], &first[i], &sum[i], &largest[i], &varied[i])
			i += 8
		}
	}
	for ; i < r; i++ {
		for k0 := 0; k0 < n; k0 += centreRun {
			var s float32
			for k := k0; k < min(n, k0+centreRun); k++ {
				x := src[k*stride+i]
				if x != first[i] {
					varied[i] = math.MaxUint32
				}
				x -= c.Shift[i]
				s += x
				largest[i] = max(largest[i], math.Float32bits(x)&math.MaxInt32)
				dst[k*ld+i] = x
			}
			sum[i] += float64(s)
		}
	}
}

// Shift adds two corrections of rank one to a row of sums, one rounding a term:
//
//	dst[i] += a*u[i], then b*v[i]
//
// for i < len(dst).
func (t Tier) Shift(dst []float64, a float64, u []float64, b float64, v []float64) {
	u, v = u[:len(dst)], v[:len(dst)]
	n := t.kernelLen(len(dst), 8)
	if n > 0 {
		shift8(n, &dst[0], a, &u[0], b, &v[0])
	}
	for i := n; i < len(dst); i++ {
		dst[i] = math.FMA(b, v[i], math.FMA(a, u[i], dst[i]))
	}
}
