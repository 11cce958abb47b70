package asm

import "math"

// Elementary functions of strips, to a few units in the last place of float32: the same
// operations in the same order in every tier, one FMA a term of a polynomial.

// expTable are the constants of the exponential: the bounds between which it is neither 0
// nor infinite, 1/ln 2, -ln 2 in two parts of which the first has 9 bits, and 1/7!, ..., 1/0!,
// of the series that leaves out less than 2^-27 of e^r for |r| <= ln 2 / 2.
var expTable = [13]float32{-104, 89, 1 / math.Ln2, -0.693359375, 2.12194440e-4,
	1. / 5040, 1. / 720, 1. / 120, 1. / 24, 1. / 6, 1. / 2, 1, 1}

func exp(x float32) float32 {
	if x != x {
		return x
	}
	x = min(max(x, expTable[0]), expTable[1])
	k := float32(math.RoundToEven(float64(float32(x * expTable[2]))))
	r := FMA(k, expTable[4], FMA(k, expTable[3], x))
	half := int32(k) >> 1
	rest := int32(k) - half
	power := func(k int32) float32 { return math.Float32frombits(uint32(k+127) << 23) }
	return float32(horner(r, expTable[5:])*power(half)) * power(rest)
}

// horner returns c[0] x^n + c[1] x^(n-1) + ... + c[n].
func horner(x float32, c []float32) float32 {
	s := c[0]
	for _, a := range c[1:] {
		s = FMA(s, x, a)
	}
	return s
}

// rationalTable are the constants of an odd function x P(x^2) / Q(x^2): the bounds beyond
// which it is -1 and 1, six coefficients of P and of Q, and -1. Its error is least in
// proportion to its value, by iterated weighted least squares.
type rationalTable [15]float32

var (
	// erfTable is off by 2.5e-8 at most before rounding.
	erfTable = rationalTable{-4, 4,
		1.98678435e-06, 0.000284565846, 0.00388333783, 0.0531017259, 0.193544909, 1.12837911,
		3.74201954e-05, 0.0011855698, 0.0152072385, 0.115349934, 0.504857242, 1, -1}

	// tanhTable is off by 1.4e-9 at most before rounding.
	tanhTable = rationalTable{-9.02, 9.02,
		-1.22035472e-11, 3.05851415e-08, 2.80075128e-05, 0.0038683305, 0.136799172, 1,
		0, 1.2873702e-06, 0.000393863593, 0.0272458494, 0.4701325, 1, -1}
)

func (c *rationalTable) at(x float32) float32 {
	if x != x {
		return x
	}
	x = min(max(x, c[0]), c[1])
	square := float32(x * x)
	y := float32(horner(square, c[2:8])*x) / horner(square, c[8:14])
	return min(max(y, -1), 1)
}

// Exp is y[i] = e^(x[i] - shift), y as long as x. The two may be the same slice, here and in
// what follows.
func (t Tier) Exp(y, x []float32, shift float32) {
	y = y[:len(x)]
	n := t.kernelLen(len(x), 8)
	if n > 0 {
		exp8(n, &y[0], &x[0], shift, &expTable[0])
	}
	for i, v := range x[n:] {
		y[n+i] = exp(v - shift)
	}
}

// Sigmoid is y[i] = 1 / (1 + e^-x[i]).
func (t Tier) Sigmoid(y, x []float32) {
	y = y[:len(x)]
	n := t.kernelLen(len(x), 8)
	if n > 0 {
		sigmoid8(n, &y[0], &x[0], &expTable[0])
	}
	for i, v := range x[n:] {
		y[n+i] = 1 / (1 + exp(0-v))
	}
}

// Erf is the error function of each element.
func (t Tier) Erf(y, x []float32) { t.rational(y, x, &erfTable) }

// Tanh is the hyperbolic tangent of each element.
func (t Tier) Tanh(y, x []float32) { t.rational(y, x, &tanhTable) }

func (t Tier) rational(y, x []float32, c *rationalTable) {
	y = y[:len(x)]
	n := t.kernelLen(len(x), 8)
	if n > 0 {
		rational8(n, &y[0], &x[0], &c[0])
	}
	for i, v := range x[n:] {
		y[n+i] = c.at(v)
	}
}

// Gelu is y[i] = x[i] * (erf(x[i] / sqrt 2) + 1) * 0.5, each operation rounded.
func (t Tier) Gelu(y, x []float32) {
	y = y[:len(x)]
	n := t.kernelLen(len(x), 8)
	if n > 0 {
		gelu8(n, &y[0], &x[0], math.Sqrt2, &erfTable[0])
	}
	for i, v := range x[n:] {
		y[n+i] = float32(v*(erfTable.at(v/math.Sqrt2)+1)) * 0.5
	}
}

// Raise raises dst[i] to a[i] where that is larger.
func (t Tier) Raise(dst, a []float32) {
	dst = dst[:len(a)]
	n := t.kernelLen(len(a), 8)
	if n > 0 {
		raise8(n, &dst[0], &a[0])
	}
	for i, v := range a[n:] {
		if v > dst[n+i] {
			dst[n+i] = v
		}
	}
}

// Clamp raises what is below lo to it, and then lowers what is above hi; NaN stays NaN.
func (t Tier) Clamp(x []float32, lo, hi float32) {
	n := t.kernelLen(len(x), 8)
	if n > 0 {
		clamp8(n, &x[0], lo, hi)
	}
	for i, v := range x[n:] {
		if v < lo {
			v = lo
		}
		if v > hi {
			v = hi
		}
		x[n+i] = v
	}
}

// Multiply is dst[i] *= a[i] for i < len(a).
func (t Tier) Multiply(dst, a []float32) {
	dst = dst[:len(a)]
	n := t.kernelLen(len(a), 8)
	if n > 0 {
		multiply8(n, &dst[0], &a[0])
	}
	for i := n; i < len(a); i++ {
		dst[i] *= a[i]
	}
}

// Standardize is y[i] = (x[i]-mean) * inverse * scale[i] + bias[i], each operation rounded.
func (t Tier) Standardize(y, x, scale, bias []float32, mean, inverse float32) {
	y, scale, bias = y[:len(x)], scale[:len(x)], bias[:len(x)]
	n := t.kernelLen(len(x), 8)
	if n > 0 {
		standardize8(n, &y[0], &x[0], &scale[0], &bias[0], mean, inverse)
	}
	for i := n; i < len(x); i++ {
		y[i] = float32(float32((x[i]-mean)*inverse)*scale[i]) + bias[i]
	}
}

// Spread returns the sums of x[i] - shift and of its square: of every eighth element by
// itself, one FMA a square, then those of the lanes, and at last of what is left.
func (t Tier) Spread(x []float32, shift float64) (sum, squares float64) {
	var s [16]float64
	n := len(x) &^ 7
	if t.kernelLen(n, 8) > 0 {
		spread8(n, &x[0], shift, &s[0])
	} else {
		for i, v := range x[:n] {
			d := float64(v) - shift
			s[i&7] += d
			s[8+i&7] = math.FMA(d, d, s[8+i&7])
		}
	}
	total := func(s []float64) float64 { return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7])) }
	sum, squares = total(s[:8]), total(s[8:])
	for _, v := range x[n:] {
		d := float64(v) - shift
		sum += d
		squares = math.FMA(d, d, squares)
	}
	return sum, squares
}
