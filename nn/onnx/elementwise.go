package onnx

import (
	"math"

	"github.com/convergent-go/convergent/internal/elem"
	"github.com/convergent-go/convergent/internal/vec"
)

// mapping is an operator that computes each element of its result from one of its input.
func mapping(build func(a *attributes) func(y, x []float32)) *operator {
	return &operator{min: 1, max: 1, outputs: 1, channelsLast: true, fresh: true, build: func(a *attributes) kernel {
		f := build(a)
		a.each = f
		return func(c *call) []*Tensor { return c.mapped(f) }
	}}
}

// mapped computes f of blocks of the floats of input 0.
func (c *call) mapped(f func(y, x []float32)) []*Tensor {
	x := c.floats(0)
	t, y := c.over(0)
	c.blocks(len(x), func(lo, hi int) { f(y[lo:hi], x[lo:hi]) })
	return []*Tensor{t}
}

// function is a mapping without attributes.
func function(f func(x float64) float64) *operator {
	return mapping(func(*attributes) func(y, x []float32) { return each(f) })
}

// each applies f to each element.
func each(f func(x float64) float64) func(y, x []float32) {
	return func(y, x []float32) {
		for i, v := range x {
			y[i] = float32(f(float64(v)))
		}
	}
}

// arithmetic is a mapping of numbers of any type.
func arithmetic(f func(x float64) float64, g func(x int64) int64) *operator {
	return &operator{min: 1, max: 1, outputs: 1, channelsLast: true, build: func(*attributes) kernel {
		return func(c *call) []*Tensor {
			if c.tensor(0).Type() == Float32 {
				return c.mapped(each(f))
			}
			return c.mappedInts(g)
		}
	}}
}

// mappedInts computes g of the integers of input 0.
func (c *call) mappedInts(g func(x int64) int64) []*Tensor {
	switch x := c.tensor(0).Data.(type) {
	case []int64:
		return mapInts(c, x, g)
	case []int32:
		return mapInts(c, x, g)
	case []int8:
		return mapInts(c, x, g)
	case []uint8:
		return mapInts(c, x, g)
	}
	failf("input 0 is %v, not numbers", c.in[0].Type())
	return nil
}

func mapInts[T integer](c *call, x []T, g func(x int64) int64) []*Tensor {
	t := c.new(c.in[0].Type(), c.in[0].Shape)
	t.channelsLast = c.in[0].channelsLast
	y := t.Data.([]T)
	for i, v := range x {
		y[i] = T(g(int64(v)))
	}
	return []*Tensor{t}
}

// test is a mapping of floats to bools.
func test(build func(a *attributes) func(x float32) bool) *operator {
	return &operator{min: 1, max: 1, outputs: 1, build: func(a *attributes) kernel {
		f := build(a)
		return func(c *call) []*Tensor {
			x := c.floats(0)
			t := c.new(Bool, c.in[0].Shape)
			y := t.Data.([]bool)
			for i, v := range x {
				y[i] = f(v)
			}
			return []*Tensor{t}
		}
	}}
}

func buildLeakyRelu(a *attributes) func(y, x []float32) {
	alpha := a.float("alpha", 0.01)
	return func(y, x []float32) {
		for i, v := range x {
			if v < 0 {
				v = float32(alpha * v)
			}
			y[i] = v
		}
	}
}

func buildThresholdedRelu(a *attributes) func(y, x []float32) {
	alpha := a.float("alpha", 1)
	return func(y, x []float32) {
		for i, v := range x {
			if v <= alpha {
				v = 0
			}
			y[i] = v
		}
	}
}

func buildElu(a *attributes) func(y, x []float32) {
	alpha := float64(a.float("alpha", 1))
	return each(func(x float64) float64 {
		if x < 0 {
			return float64(alpha * expm1(x))
		}
		return x
	})
}

func buildCelu(a *attributes) func(y, x []float32) {
	alpha := float64(a.float("alpha", 1))
	return each(func(x float64) float64 {
		if x < 0 {
			return float64(alpha * expm1(x/alpha))
		}
		return x
	})
}

func buildSelu(a *attributes) func(y, x []float32) {
	alpha, gamma := float64(a.float("alpha", 1.67326319217681884765625)), float64(a.float("gamma", 1.05070102214813232421875))
	return each(func(x float64) float64 {
		if x <= 0 {
			x = float64(alpha * expm1(x))
		}
		return float64(gamma * x)
	})
}

func buildHardSigmoid(a *attributes) func(y, x []float32) {
	alpha, beta := a.float("alpha", 0.2), a.float("beta", 0.5)
	return func(y, x []float32) {
		for i, v := range x {
			y[i] = min(1, max(0, float32(alpha*v)+beta))
		}
	}
}

func hardSwish(y, x []float32) {
	for i, v := range x {
		y[i] = float32(v * min(1, max(0, float32(v*(1./6))+0.5)))
	}
}

func buildGelu(a *attributes) func(y, x []float32) {
	if a.choice("approximate", "none", "tanh") == "tanh" {
		return each(geluTanh)
	}
	return vec.Gelu
}

func buildShrink(a *attributes) func(y, x []float32) {
	bias, lambda := a.float("bias", 0), a.float("lambd", 0.5)
	return func(y, x []float32) {
		for i, v := range x {
			switch {
			case v < -lambda:
				y[i] = v + bias
			case v > lambda:
				y[i] = v - bias
			default:
				y[i] = 0
			}
		}
	}
}

func buildIsInf(a *attributes) func(x float32) bool {
	negative, positive := a.bool("detect_negative", true), a.bool("detect_positive", true)
	return func(x float32) bool {
		return negative && math.IsInf(float64(x), -1) || positive && math.IsInf(float64(x), 1)
	}
}

func reluFloats(y, x []float32) {
	copyTo(y, x)
	vec.ReLU(y)
}

// copyTo copies x to y, unless they are the same slice.
func copyTo(y, x []float32) {
	if len(x) > 0 && &y[0] != &x[0] {
		copy(y, x)
	}
}

func abs(x int64) int64 { return max(x, -x) }

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}

// buildRelu returns the kernel of Relu, which integers have too.
func buildRelu(a *attributes) kernel {
	a.each = reluFloats
	return func(c *call) []*Tensor {
		switch c.tensor(0).Type() {
		case Int64, Int32, Int8:
			return c.mappedInts(func(x int64) int64 { return max(x, 0) })
		}
		return c.mapped(reluFloats)
	}
}

// buildClip returns the kernel of Clip, whose bounds are attributes at first and inputs
// from version 11 on.
func buildClip(a *attributes) kernel {
	lo, hi := float32(math.Inf(-1)), float32(math.Inf(1))
	if a.version < 11 {
		lo, hi = a.float("min", lo), a.float("max", hi)
	}
	a.eachOf = func(in []*Tensor) func(y, x []float32) {
		lo, hi := lo, hi
		for i, bound := range []*float32{&lo, &hi} {
			if i+1 < len(in) && in[i+1] != nil {
				d, ok := in[i+1].Data.([]float32)
				if !ok || len(d) != 1 {
					return nil
				}
				*bound = d[0]
			}
		}
		return clamped(lo, hi)
	}
	return func(c *call) []*Tensor {
		for i := 1; i < len(c.in); i++ {
			if c.has(i) && (c.in[i].Len() != 1 || c.in[i].Type() != c.tensor(0).Type()) {
				failf("input %d is not one %v", i, c.in[0].Type())
			}
		}
		if c.tensor(0).Type() != Float32 {
			return c.mappedInts(func(v int64) int64 {
				if c.has(1) {
					v = max(v, c.in[1].integers()[0])
				}
				if c.has(2) {
					v = min(v, c.in[2].integers()[0])
				}
				return v
			})
		}
		lo, hi := lo, hi
		if c.has(1) {
			lo = c.floats(1)[0]
		}
		if c.has(2) {
			hi = c.floats(2)[0]
		}
		return c.mapped(clamped(lo, hi))
	}
}

func clamped(lo, hi float32) func(y, x []float32) {
	return func(y, x []float32) {
		copyTo(y, x)
		vec.Clamp(y, lo, hi)
	}
}

func buildNot(*attributes) kernel {
	return func(c *call) []*Tensor {
		x, ok := c.tensor(0).Data.([]bool)
		if !ok {
			failf("input 0 is %v, not bool", c.in[0].Type())
		}
		t := c.new(Bool, c.in[0].Shape)
		y := t.Data.([]bool)
		for i, v := range x {
			y[i] = !v
		}
		return []*Tensor{t}
	}
}

func mish(x float64) float64 { return float64(x * tanh(log1pExp(x))) }

func sinh(x float64) float64 { return (expm1(x) - expm1(-x)) / 2 }

func cosh(x float64) float64 { return (elem.Exp(x) + elem.Exp(-x)) / 2 }

func tan(x float64) float64 { return elem.Sin(x) / elem.Cos(x) }
