package onnx

import (
	"math"

	"github.com/convergent-go/convergent/internal/elem"
)

// The elementary functions of float32 are computed in float64, of operations that are
// the same on every machine (see package elem), and rounded once.

const twoOverSqrtPi = 1.1283791670955125739

// erfSteps is the number of points in a unit at which the error function is known, up to
// erfEnd, beyond which it is 1 in float32.
const (
	erfSteps = 32
	erfEnd   = 4
)

// erfTable holds the error function's Taylor coefficients at those points.
var erfTable = func() (table [erfEnd*erfSteps + 1][6]float64) {
	sum := 0.0 // the error function, by Simpson's rule between points
	density := func(x float64) float64 { return twoOverSqrtPi * elem.Exp(-float64(x*x)) }
	for i := range table {
		x := float64(i) / erfSteps
		d := density(x)
		xx := float64(x * x)
		// Derivatives are the density times Hermite polynomials.
		table[i] = [6]float64{
			sum,
			d,
			float64(d * -x),
			float64(d*float64(float64(4*xx)-2)) / 6,
			float64(d*float64(-8*float64(xx*x)+float64(12*x))) / 24,
			float64(d*float64(float64(float64(16*xx)*xx)-float64(48*xx)+12)) / 120,
		}
		const parts = 16 // of the interval up to the next point
		const h = 1. / (erfSteps * parts)
		area := 0.0
		for p := range parts {
			at := x + float64(float64(p)*h)
			area += density(at) + float64(4*density(at+h/2)) + density(at+h)
		}
		sum += float64(area * (h / 6))
	}
	return table
}()

// erf returns the error function with an error below 2e-10.
func erf(x float64) float64 {
	a := math.Abs(x)
	if !(a < erfEnd) {
		if a != a {
			return x
		}
		return math.Copysign(1, x)
	}
	k := int(float64(a*erfSteps) + 0.5)
	t := &erfTable[k]
	d := a - float64(k)/erfSteps
	y := t[5]
	for i := 4; i >= 0; i-- {
		y = float64(y*d) + t[i]
	}
	return math.Copysign(y, x)
}

func sigmoid(x float64) float64 { return 1 / (1 + elem.Exp(-x)) }

func tanh(x float64) float64 {
	if a := math.Abs(x); a < 1e-3 {
		return x - float64(float64(x*x)*x)/3
	}
	return 1 - 2/(elem.Exp(2*x)+1)
}

// log1pExp returns log(1 + e^x).
func log1pExp(x float64) float64 {
	if x > 0 {
		return x + log1p(elem.Exp(-x))
	}
	return log1p(elem.Exp(x))
}

// log1p returns log(1 + x) for x not below zero.
func log1p(x float64) float64 {
	if x < 1e-5 {
		return x - float64(x*x)/2
	}
	return elem.Log(1 + x)
}

// expm1 returns e^x - 1.
func expm1(x float64) float64 {
	if math.Abs(x) < 1e-4 {
		return x + float64(x*x)/2 + float64(float64(x*x)*x)/6
	}
	return elem.Exp(x) - 1
}

// pow returns x^y.
func pow(x, y float64) float64 {
	switch {
	case y == 0 || x == 1:
		return 1
	case x != x || y != y:
		return math.NaN()
	case y == math.Trunc(y) && math.Abs(y) <= 64: // by squaring
		p, b := 1.0, x
		for n := int(math.Abs(y)); n > 0; n >>= 1 {
			if n&1 == 1 {
				p = float64(p * b)
			}
			b = float64(b * b)
		}
		if y < 0 {
			return 1 / p
		}
		return p
	case y == 0.5 && x >= 0:
		return math.Sqrt(x)
	case math.IsInf(y, 0):
		if a := math.Abs(x); a == 1 {
			return 1
		} else if a < 1 == (y < 0) {
			return math.Inf(1)
		}
		return 0
	}
	odd := y == math.Trunc(y) && math.Abs(y) < 1<<53 && math.Mod(y, 2) != 0
	if x < 0 && y != math.Trunc(y) {
		return math.NaN()
	}
	p := elem.Exp(float64(y * elem.Log(math.Abs(x))))
	if x < 0 && odd {
		return -p
	}
	return p
}

func gelu(x float64) float64 { return float64(0.5*x) * (1 + erf(float64(x*(math.Sqrt2/2)))) }

func geluTanh(x float64) float64 {
	cubic := x + float64(0.044715*float64(float64(x*x)*x))
	return float64(0.5*x) * (1 + tanh(float64(0.79788456080286535588*cubic)))
}
