// Package vec does elementwise work on float32 slices with the kernels of the
// active tier. Slices are as long as the last argument; a shorter one panics.
package vec

import (
	"math"

	"github.com/convergent-go/convergent/asm"
)

// blockLen is how many elements a kernel is given at once: nothing can interrupt it, the
// collector too has to wait for it.
const blockLen = 1 << 15

// forBlocks calls f for intervals of blockLen that cover [0, n).
func forBlocks(n int, f func(lo, hi int)) {
	for lo := 0; lo < n; lo += blockLen {
		f(lo, min(n, lo+blockLen))
	}
}

// Add is dst[i] += a[i].
func Add(dst, a []float32) {
	dst = dst[:len(a)]
	forBlocks(len(a), func(lo, hi int) { asm.Active().Add(dst[lo:hi], a[lo:hi]) })
}

// ReLU replaces what is below zero by zero; NaN stays NaN.
func ReLU(x []float32) {
	forBlocks(len(x), func(lo, hi int) { asm.Active().ReLU(x[lo:hi]) })
}

// ReLUGrad zeroes d[i] where y[i] is not above zero: the gradient of ReLU.
func ReLUGrad(d, y []float32) {
	d = d[:len(y)]
	forBlocks(len(y), func(lo, hi int) { asm.Active().ReLUGrad(d[lo:hi], y[lo:hi]) })
}

// ThreeQuarters is dst[i] = x[i] * s[i]^(-3/4).
func ThreeQuarters(dst, x, s []float32) {
	dst, s = dst[:len(x)], s[:len(x)]
	forBlocks(len(x), func(lo, hi int) { asm.Active().ThreeQuarters(dst[lo:hi], x[lo:hi], s[lo:hi]) })
}

// Affine is y = scale*x + shift in each of the rows of x, which are as long as scale.
func Affine(y, x, scale, shift []float32) {
	y = y[:len(x)]
	forRows(len(x), len(scale), func(lo, hi int) { asm.Active().Affine(y[lo:hi], x[lo:hi], scale, shift) })
}

// AffineSum is dx = scale*dy + (slope*x + shift) in each of the rows of x.
func AffineSum(dx, dy, x, scale, slope, shift []float32) {
	dx, dy = dx[:len(x)], dy[:len(x)]
	forRows(len(x), len(scale), func(lo, hi int) {
		asm.Active().AffineSum(dx[lo:hi], dy[lo:hi], x[lo:hi], scale, slope, shift)
	})
}

// ColumnSums adds the rows of a to sum, and their products with those of b to products.
func ColumnSums(sum, products []float64, a, b []float32) {
	b = b[:len(a)]
	forRows(len(a), len(sum), func(lo, hi int) { asm.Active().ColumnSums(sum, products, a[lo:hi], b[lo:hi]) })
}

// forRows is forBlocks for whole rows of c elements.
func forRows(n, c int, f func(lo, hi int)) {
	block := max(1, blockLen/max(1, c)) * c
	for lo := 0; lo < n; lo += block {
		f(lo, min(n, lo+block))
	}
}

// Max raises maxima[i] to x[i], and sets argmax[i] to offset+i where that raises it.
func Max(maxima []float32, argmax []int32, x []float32, offset int) {
	asm.Active().Max(maxima, argmax, x, int32(offset))
}

// Finite reports whether no element is NaN or infinite.
func Finite(x []float32) bool {
	for len(x) > blockLen {
		if !asm.Active().Finite(x[:blockLen]) {
			return false
		}
		x = x[blockLen:]
	}
	return asm.Active().Finite(x)
}

// Transpose sets dst[j*ld+i] to src[i*stride+j], for i < rows and j < cols.
func Transpose(dst []float32, ld int, src []float32, stride, rows, cols int) {
	asm.Active().Transpose(dst, ld, src, stride, rows, cols)
}

// Columns are what Centre knows of columns and notes of them.
type Columns = asm.Columns

// Centre packs n rows of src with the shift taken from each column, and notes what it
// packs of the columns; see [asm.Tier.Centre].
func Centre(n int, dst []float32, ld int, src []float32, stride int, c Columns) {
	asm.Active().Centre(n, dst, ld, src, stride, c)
}

// Shift is dst[i] += a*u[i], then b*v[i], one rounding a term.
func Shift(dst []float64, a float64, u []float64, b float64, v []float64) {
	asm.Active().Shift(dst, a, u, b, v)
}

// Exp is y[i] = e^(x[i] - shift). y and x may be the same slice, here and in what follows.
func Exp(y, x []float32, shift float32) {
	y = y[:len(x)]
	forBlocks(len(x), func(lo, hi int) { asm.Active().Exp(y[lo:hi], x[lo:hi], shift) })
}

// Sigmoid is y[i] = 1 / (1 + e^-x[i]).
func Sigmoid(y, x []float32) {
	y = y[:len(x)]
	forBlocks(len(x), func(lo, hi int) { asm.Active().Sigmoid(y[lo:hi], x[lo:hi]) })
}

// Erf is the error function of each element.
func Erf(y, x []float32) {
	y = y[:len(x)]
	forBlocks(len(x), func(lo, hi int) { asm.Active().Erf(y[lo:hi], x[lo:hi]) })
}

// Tanh is the hyperbolic tangent of each element.
func Tanh(y, x []float32) {
	y = y[:len(x)]
	forBlocks(len(x), func(lo, hi int) { asm.Active().Tanh(y[lo:hi], x[lo:hi]) })
}

// Gelu is y[i] = x[i] * (erf(x[i] / sqrt 2) + 1) * 0.5.
func Gelu(y, x []float32) {
	y = y[:len(x)]
	forBlocks(len(x), func(lo, hi int) { asm.Active().Gelu(y[lo:hi], x[lo:hi]) })
}

// Raise raises dst[i] to a[i] where that is larger.
func Raise(dst, a []float32) {
	dst = dst[:len(a)]
	forBlocks(len(a), func(lo, hi int) { asm.Active().Raise(dst[lo:hi], a[lo:hi]) })
}

// Clamp raises what is below lo to it, and then lowers what is above hi; NaN stays NaN.
func Clamp(x []float32, lo, hi float32) {
	forBlocks(len(x), func(from, to int) { asm.Active().Clamp(x[from:to], lo, hi) })
}

// Multiply is dst[i] *= a[i].
func Multiply(dst, a []float32) {
	dst = dst[:len(a)]
	forBlocks(len(a), func(lo, hi int) { asm.Active().Multiply(dst[lo:hi], a[lo:hi]) })
}

// Scale is x[i] *= alpha.
func Scale(alpha float32, x []float32) {
	forBlocks(len(x), func(lo, hi int) { asm.Active().Sscal(alpha, x[lo:hi]) })
}

// AddScaled is y[i] += alpha x[i].
func AddScaled(y []float32, alpha float32, x []float32) {
	y = y[:len(x)]
	forBlocks(len(x), func(lo, hi int) { asm.Active().Saxpy(y[lo:hi], alpha, x[lo:hi]) })
}

// Standardize is y = (x - mean) * inverse * scale + bias in each of the elements of a row.
func Standardize(y, x, scale, bias []float32, mean, inverse float32) {
	y, scale, bias = y[:len(x)], scale[:len(x)], bias[:len(x)]
	forBlocks(len(x), func(lo, hi int) {
		asm.Active().Standardize(y[lo:hi], x[lo:hi], scale[lo:hi], bias[lo:hi], mean, inverse)
	})
}

// Largest returns the largest of x that is not NaN, -Inf if there is none.
func Largest(x []float32) float32 {
	largest := float32(math.Inf(-1))
	if len(x) >= 2*lanes {
		var maxima [lanes]float32
		copy(maxima[:], x)
		for i := lanes; i < len(x); i += lanes {
			Raise(maxima[:], x[min(i, len(x)-lanes):][:lanes])
		}
		x = maxima[:]
	}
	for _, v := range x {
		if v > largest {
			largest = v
		}
	}
	return largest
}

// lanes is how many maxima Largest raises at a time.
const lanes = 32

// Sum returns the sum of x in float64.
func Sum(x []float32) float64 {
	var sum float64
	forBlocks(len(x), func(lo, hi int) {
		s, _ := asm.Active().Spread(x[lo:hi], 0)
		sum += s
	})
	return sum
}

// Moments returns the mean and the variance of x, which is not empty, in float64.
func Moments(x []float32) (mean, variance float64) {
	sums := func(shift float64) (sum, squares float64) {
		forBlocks(len(x), func(lo, hi int) {
			s, q := asm.Active().Spread(x[lo:hi], shift)
			sum, squares = sum+s, squares+q
		})
		return sum, squares
	}
	n := float64(len(x))
	sum, _ := sums(0)
	mean = sum / n
	rest, squares := sums(mean)
	return mean, max(0, squares-float64(rest*rest)/n) / n
}
