// Package vec does elementwise work on float32 slices with the kernels of the
// active tier. Slices are as long as the last argument; a shorter one panics.
package vec

import "github.com/convergent-go/convergent/asm"

// run is how many elements a kernel is given at once: nothing can interrupt it, the
// collector too has to wait for it.
const run = 1 << 15

// runs calls f for intervals that cover [0, n).
func runs(n int, f func(lo, hi int)) {
	for lo := 0; lo < n; lo += run {
		f(lo, min(n, lo+run))
	}
}

// Add is dst[i] += a[i].
func Add(dst, a []float32) {
	dst = dst[:len(a)]
	runs(len(a), func(lo, hi int) { asm.Active().Add(dst[lo:hi], a[lo:hi]) })
}

// ReLU replaces what is below zero by zero; NaN stays NaN.
func ReLU(x []float32) {
	runs(len(x), func(lo, hi int) { asm.Active().ReLU(x[lo:hi]) })
}

// Gate zeroes d[i] where y[i] is not above zero: the gradient of ReLU.
func Gate(d, y []float32) {
	d = d[:len(y)]
	runs(len(y), func(lo, hi int) { asm.Active().Gate(d[lo:hi], y[lo:hi]) })
}

// ThreeQuarters is dst[i] = x[i] * s[i]^(-3/4).
func ThreeQuarters(dst, x, s []float32) {
	dst, s = dst[:len(x)], s[:len(x)]
	runs(len(x), func(lo, hi int) { asm.Active().ThreeQuarters(dst[lo:hi], x[lo:hi], s[lo:hi]) })
}

// Max keeps the larger of best[i] and x[i] in best and, if it is x[i], its
// place from+i in who.
func Max(best []float32, who []int32, x []float32, from int) {
	asm.Active().Max(best, who, x, int32(from))
}

// Finite reports whether no element is NaN or infinite.
func Finite(x []float32) bool {
	for len(x) > run {
		if !asm.Active().Finite(x[:run]) {
			return false
		}
		x = x[run:]
	}
	return asm.Active().Finite(x)
}

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

// The scans of an assignment problem's rows; see [asm.Tier].

// Lanes is how many maxima LaneMax takes.
const Lanes = asm.Lanes

// Two are a row's two largest gains and their places.
type Two = asm.Two

// NoTwo is what there is in an empty row.
var NoTwo = asm.NoTwo

// LaneMax sets best[l] to the largest c[j] - p[j] of the places j = l mod Lanes.
func LaneMax(best *[Lanes]float64, c, p []float64) { asm.Active().LaneMax(best, c, p) }

// AtLeast finds the places where c - p is at least least, as many as dst holds.
func AtLeast(dst []int32, c, p []float64, least float64) int {
	return asm.Active().AtLeast(dst, c, p, least)
}

// Shorter finds the places where base - (c - p) is below dist.
func Shorter(dst []int32, dist, c, p []float64, base float64) int {
	return asm.Active().Shorter(dst, dist, c, p, base)
}

// TopTwo finds the two largest of c - p.
func TopTwo(c, p []float64) Two { return asm.Active().TopTwo(c, p) }

// ColumnMax keeps the larger of best[j] and x[j] in best and, if it is x[j], row
// in who.
func ColumnMax(best []float64, who []int32, x []float64, row int) {
	asm.Active().ColumnMax(best, who, x, int32(row))
}

// Within reports whether every element is within ±limit or -Inf.
func Within(x []float64, limit float64) bool { return asm.Active().Within(x, limit) }

// Relax shortens paths by those through row i and finds the nearest column; see
// [asm.Tier.Relax].
func Relax(dist []float64, from []int32, c, p []float64, row []int32, base float64, i int32) (nearest int, least float64) {
	return asm.Active().Relax(dist, from, c, p, row, base, i)
}
