package dense

import (
	"math"

	"github.com/convergent-go/convergent/asm"
)

// Dot returns the inner product of x and y, which is no shorter.
func Dot(x, y []float64) float64 {
	y = y[:len(x)]
	var a, b, c, d float64
	i := 0
	for ; i+4 <= len(x); i += 4 {
		a += float64(x[i] * y[i])
		b += float64(x[i+1] * y[i+1])
		c += float64(x[i+2] * y[i+2])
		d += float64(x[i+3] * y[i+3])
	}
	for ; i < len(x); i++ {
		a += float64(x[i] * y[i])
	}
	return (a + b) + (c + d)
}

// axpy is y += alpha x, with two roundings a term.
func axpy(y []float64, alpha float64, x []float64) {
	x = x[:len(y)]
	for i, v := range x {
		y[i] += float64(alpha * v)
	}
}

// AddScaled is y += alpha x, with one rounding a term.
func AddScaled(y []float64, alpha float64, x []float64) {
	if len(y) < 8 {
		for i, v := range x[:len(y)] {
			y[i] = math.FMA(alpha, v, y[i])
		}
		return
	}
	// Adding 0 x three times is no loss where each x is read once.
	asm.Active().Axpy4(y, &[4][]float64{x[:len(y)], x, x, x}, &[4]float64{alpha})
}

// AxpyRows is y += the sum over j of x[j] times row rows[j] of a, whose rows lie ld apart.
func AxpyRows(y, a []float64, ld int, rows []int, x []float64) {
	tier := asm.Active()
	for ; len(x) >= 4; x, rows = x[4:], rows[4:] {
		var four [4][]float64
		for j, i := range rows[:4] {
			four[j] = a[i*ld:][:len(y)]
		}
		tier.Axpy4(y, &four, (*[4]float64)(x))
	}
	for j, v := range x {
		axpy(y, v, a[rows[j]*ld:])
	}
}

// Symv sets y to A x, for the leading part of a symmetric matrix, of as many rows and
// columns as x, of which the lower triangle is read.
func Symv(y, a []float64, lda int, x []float64) {
	tier, n := asm.Active(), len(x)
	clear(y)
	for i := 0; i < n; i += 4 {
		rows := min(4, n-i)
		if rows == 4 {
			var sums [4]float64
			tier.DotAxpy4(a[i*lda:], lda, x[:i], y[:i], (*[4]float64)(x[i:]), &sums)
			for r, s := range sums {
				y[i+r] += s
			}
		} else {
			for r := i; r < n; r++ {
				y[r] += Dot(a[r*lda:][:i], x[:i])
				axpy(y[:i], x[r], a[r*lda:])
			}
		}
		for r := i; r < i+rows; r++ {
			for s := i; s < r; s++ {
				y[r] += float64(a[r*lda+s] * x[s])
				y[s] += float64(a[r*lda+s] * x[r])
			}
			y[r] += float64(a[r*lda+r] * x[r])
		}
	}
}

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
			tier.Ger4(a[i*ld:], ld, x[:i+4], &f)
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
