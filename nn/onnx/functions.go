package onnx

import (
	"math"

	"github.com/convergent-go/convergent/internal/elem"
)

// Elementary functions of float32 for which package vec has no kernels are computed in float64,
// of operations that are the same on every machine (see package elem), and rounded once.

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
		return x - float64(float64(x*x)/2)
	}
	return elem.Log(1 + x)
}

// expm1 returns e^x - 1.
func expm1(x float64) float64 {
	if math.Abs(x) < 1e-4 {
		return x + float64(float64(x*x)/2) + float64(float64(x*x)*x)/6
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

func geluTanh(x float64) float64 {
	cubic := x + float64(0.044715*float64(float64(x*x)*x))
	return float64(0.5*x) * (1 + tanh(float64(0.79788456080286535588*cubic)))
}
