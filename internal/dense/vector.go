package dense

import (
	"math"

	"github.com/convergent-go/convergent/asm"
)

// Dot returns the inner product of x and y, which is no shorter.
func Dot(x, y []float64) float64 { return dot(x, y) }

// AddScaled is y += alpha x.
func AddScaled(y []float64, alpha float64, x []float64) {
	if len(y) < 8 {
		for i, v := range x[:len(y)] {
			y[i] = math.FMA(alpha, v, y[i])
		}
		return
	}
	// Adding 0 x three times is no loss where each x is read once.
	asm.Active().Combine(y, &[4][]float64{x[:len(y)], x, x, x}, &[4]float64{alpha})
}

// Combine is y += the sum of rows of a, ld apart, with the given numbers, times x.
func Combine(y, a []float64, ld int, numbers []int, x []float64) {
	tier := asm.Active()
	for ; len(x) >= 4; x, numbers = x[4:], numbers[4:] {
		var rows [4][]float64
		for i, n := range numbers[:4] {
			rows[i] = a[n*ld:][:len(y)]
		}
		tier.Combine(y, &rows, (*[4]float64)(x))
	}
	for i, v := range x {
		axpy(y, v, a[numbers[i]*ld:])
	}
}

// Symmetric sets y to A x, for the leading part of a symmetric matrix, of as many rows
// and columns as x, of which the lower triangle is read.
func Symmetric(y, a []float64, ld int, x []float64) { symmetric(a, ld, x, y) }

// RankOne adds alpha x x^T to the lower triangle of the leading part of a matrix; a few
// elements above the diagonal change too.
func RankOne(a []float64, ld int, alpha float64, x []float64) {
	tier, n := asm.Active(), len(x)
	for i := 0; i < n; i += 4 {
		if rows := n - i; rows >= 4 {
			var f [4]float64
			for r := range f {
				f[r] = alpha * x[i+r]
			}
			tier.Spread(a[i*ld:], ld, x[:i+4], &f)
			continue
		}
		for r := i; r < n; r++ {
			axpy(a[r*ld:][:r+1], alpha*x[r], x)
		}
	}
}

// hypot is sqrt(x^2 + y^2) without overflow: math's rounds otherwise on other machines.
func hypot(x, y float64) float64 {
	x, y = math.Abs(x), math.Abs(y)
	if x < y {
		x, y = y, x
	}
	if x == 0 || math.IsInf(x, 0) {
		return x
	}
	y /= x
	return x * math.Sqrt(1+float64(y*y))
}
