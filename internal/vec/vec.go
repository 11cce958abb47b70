// Package vec does elementwise work on float32 slices with the kernels of the
// active tier. Slices are as long as the last argument; a shorter one panics.
package vec

import "github.com/convergent-go/convergent/asm"

// Add is dst[i] += a[i].
func Add(dst, a []float32) { asm.Active().Add(dst, a) }

// ReLU replaces what is below zero by zero; NaN stays NaN.
func ReLU(x []float32) { asm.Active().ReLU(x) }

// Gate zeroes d[i] where y[i] is not above zero: the gradient of ReLU.
func Gate(d, y []float32) { asm.Active().Gate(d, y) }

// ThreeQuarters is dst[i] = x[i] * s[i]^(-3/4).
func ThreeQuarters(dst, x, s []float32) { asm.Active().ThreeQuarters(dst, x, s) }

// Max keeps the larger of best[i] and x[i] in best and, if it is x[i], its
// place from+i in who.
func Max(best []float32, who []int32, x []float32, from int) {
	asm.Active().Max(best, who, x, int32(from))
}

// Finite reports whether no element is NaN or infinite.
func Finite(x []float32) bool { return asm.Active().Finite(x) }

// Transpose sets dst[j*ld+i] to src[i*stride+j], for rows i and cols j.
func Transpose(dst []float32, ld int, src []float32, stride, rows, cols int) {
	asm.Active().Transpose(dst, ld, src, stride, rows, cols)
}

// Centre packs n rows of r elements of src with shift taken from each column, sums
// the columns and their squares, and notes in moved which ever leave first; see [asm.Tier.Centre].
func Centre(n, r int, dst []float32, ld int, src []float32, stride int, shift, first, sum, squares []float32, moved []uint32) {
	asm.Active().Centre(n, r, dst, ld, src, stride, shift, first, sum, squares, moved)
}

// Merge is dst[i] += src[i] + more[i] + a*u[i] + b*v[i], one rounding a term.
func Merge(dst []float64, src, more []float32, a float64, u []float64, b float64, v []float64) {
	asm.Active().Merge(dst, src, more, a, u, b, v)
}
