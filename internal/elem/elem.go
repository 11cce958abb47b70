// Package elem computes elementary functions whose results are the same bits on
// every machine. Package math does not promise that: some of its functions are
// assembly on some machines, and the compiler may fuse a multiplication and an
// addition where the machine can. Here each product is rounded explicitly, and
// all else (addition, division, Floor, Frexp, Ldexp) is exact or correctly rounded
// everywhere.
package elem

import "math"

const (
	ln2Hi = 6.93147180369123816490e-01 // ln 2 to 33 bits, so that k*ln2Hi is exact for |k| < 2^20
	ln2Lo = 1.90821492927058770002e-10 // and the rest of it
)

// horner returns c[0] x^n + c[1] x^(n-1) + ... + c[n].
func horner(x float64, c []float64) float64 {
	s := c[0]
	for _, a := range c[1:] {
		s = float64(s*x) + a
	}
	return s
}

var expSeries = []float64{
	1. / 6227020800, 1. / 479001600, 1. / 39916800, 1. / 3628800, 1. / 362880, 1. / 40320, 1. / 5040,
	1. / 720, 1. / 120, 1. / 24, 1. / 6, 1. / 2, 1, 1,
}

// Exp returns e^x, to 2 units in the last place where the result is normal.
func Exp(x float64) float64 {
	switch {
	case math.IsNaN(x) || math.IsInf(x, 1):
		return x
	case x > 709.782712893384:
		return math.Inf(1)
	case x < -745.1332191019412:
		return 0
	}
	// x = k ln 2 + r with |r| <= ln 2 / 2, where the Taylor series to r^13/13! leaves
	// out less than 2^-57.
	k := math.Floor(float64(x*(1/math.Ln2)) + 0.5)
	r := float64(x-float64(k*ln2Hi)) - float64(k*ln2Lo)
	return math.Ldexp(horner(r, expSeries), int(k))
}

var logSeries = []float64{1. / 23, 1. / 21, 1. / 19, 1. / 17, 1. / 15, 1. / 13, 1. / 11, 1. / 9, 1. / 7, 1. / 5, 1. / 3, 0}

// Log returns the natural logarithm of x, to 2 units in the last place.
func Log(x float64) float64 {
	switch {
	case math.IsNaN(x) || x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	case math.IsInf(x, 1):
		return x
	}
	// x = 2^k m with m in [1/sqrt 2, sqrt 2), and ln m = 2 artanh(s) for
	// s = (m-1)/(m+1): the odd series 2(s + s^3/3 + s^5/5 + ...), |s| < 0.172.
	m, k := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, k = 2*m, k-1
	}
	f := m - 1
	s := f / (2 + f)
	// With t = s^2/3 + s^4/5 + ... , ln m = 2s + 2st, and 2s = f - sf has its
	// leading term exact.
	t := horner(float64(s*s), logSeries)
	tail := float64(s * (f - float64(2*t)))
	e := float64(k)
	return float64(e*ln2Hi) + (f - (tail - float64(e*ln2Lo)))
}

// Sin returns the sine of x radians with an absolute error below 2^-52. Beyond
// |x| = 2^20, where x may no longer be reduced so simply, it returns NaN.
func Sin(x float64) float64 { return sine(x, 0) }

// Cos returns the cosine of x radians, as Sin does the sine.
func Cos(x float64) float64 { return sine(x, 1) }

var (
	sinSeries = []float64{-1. / 1307674368000, 1. / 6227020800, -1. / 39916800, 1. / 362880, -1. / 5040, 1. / 120, -1. / 6, 0}
	cosSeries = []float64{1. / 20922789888000, -1. / 87178291200, 1. / 479001600, -1. / 3628800, 1. / 40320, -1. / 720, 1. / 24, -1. / 2, 1}
)

// sine returns sin(x + shift*pi/2).
func sine(x float64, shift int) float64 {
	if math.IsNaN(x) || math.Abs(x) > 1<<20 {
		return math.NaN()
	}
	const (
		halfPi1 = 1.57079632673412561417e+00 // pi/2 in three parts, the first two of 33 bits
		halfPi2 = 6.07710050630396597660e-11
		halfPi3 = 2.02226624879595063154e-21
	)
	// x = q pi/2 + r with |r| <= pi/4, where the Taylor series to r^16 leave out less
	// than 2^-54.
	q := math.Floor(float64(x*(2/math.Pi)) + 0.5)
	r := float64(float64(x-float64(q*halfPi1))-float64(q*halfPi2)) - float64(q*halfPi3)
	z := float64(r * r)
	quadrant := (int(q) + shift) & 3
	var v float64
	if quadrant&1 == 0 {
		v = r + float64(r*horner(z, sinSeries))
	} else {
		v = horner(z, cosSeries)
	}
	if quadrant&2 != 0 {
		return -v
	}
	return v
}
