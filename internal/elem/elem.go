// Package elem computes elementary functions whose results are the same bits on
// every machine. Package math does not promise that: some of its functions are
// assembly on some machines, and the compiler may fuse a multiplication and an
// addition where the machine can. Here each product is rounded explicitly.
//
// Errors are below two units in the last place over the ranges stated.
package elem

import "math"

const (
	ln2Hi = 6.93147180369123816490e-01 // ln 2 to 33 bits, so that k*ln2Hi is exact for |k| < 2^20
	ln2Lo = 1.90821492927058770002e-10 // and the rest of it
)

// Exp returns e^x.
func Exp(x float64) float64 {
	switch {
	case math.IsNaN(x) || math.IsInf(x, 1):
		return x
	case x > 709.782712893384:
		return math.Inf(1)
	case x < -745.1332191019412:
		return 0
	}
	// x = k ln 2 + r with |r| <= ln 2 / 2, and e^r by its Taylor series, whose
	// 14th term is below 2^-53 there.
	k := math.Floor(float64(x*(1/math.Ln2)) + 0.5)
	r := float64(x-float64(k*ln2Hi)) - float64(k*ln2Lo)
	s := 1.0
	for n := 14; n > 0; n-- {
		s = 1 + float64(float64(r*s)/float64(n))
	}
	return math.Ldexp(s, int(k))
}

// Log returns the natural logarithm of x.
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
	z := float64(s * s)
	t := 0.0
	for n := 23; n >= 3; n -= 2 {
		t = float64(z * (1/float64(n) + t))
	}
	// With t = z/3 + z^2/5 + ... , ln m = 2s + 2st, and 2s = f - sf has its
	// leading term exact.
	tail := float64(s * (f - float64(2*t)))
	e := float64(k)
	return float64(e*ln2Hi) + (f - (tail - float64(e*ln2Lo)))
}

// Sin returns the sine of x radians, for |x| up to 2^20.
func Sin(x float64) float64 { return circle(x, 0) }

// Cos returns the cosine of x radians, for |x| up to 2^20.
func Cos(x float64) float64 { return circle(x, 1) }

// circle returns sin(x + shift*pi/2).
func circle(x float64, shift int) float64 {
	if math.IsNaN(x) || math.Abs(x) > 1<<20 {
		return math.NaN()
	}
	const (
		half1 = 1.57079632673412561417e+00 // pi/2 in three parts of 33 bits
		half2 = 6.07710050630396597660e-11
		half3 = 2.02226624879595063154e-21
	)
	// x = q pi/2 + r with |r| <= pi/4.
	q := math.Floor(float64(x*(2/math.Pi)) + 0.5)
	r := float64(float64(x-float64(q*half1))-float64(q*half2)) - float64(q*half3)
	z := float64(r * r)
	quadrant := (int(q) + shift) & 3
	var v float64
	if quadrant&1 == 0 {
		v = 1 // sin r = r (1 - z/(2*3) (1 - z/(4*5) (...)))
		for n := 16.0; n >= 2; n -= 2 {
			v = 1 - float64(float64(z*v)/float64(n*(n+1)))
		}
		v = float64(r * v)
	} else {
		v = 1 // cos r = 1 - z/(1*2) (1 - z/(3*4) (...))
		for n := 17.0; n >= 1; n -= 2 {
			v = 1 - float64(float64(z*v)/float64(n*(n+1)))
		}
	}
	if quadrant&2 != 0 {
		return -v
	}
	return v
}
