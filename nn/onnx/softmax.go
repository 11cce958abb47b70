package onnx

import (
	"math"

	"github.com/convergent-go/convergent/internal/elem"
	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/internal/vec"
)

// softmax is an operator along an axis: from version 13 on that axis alone, before it all
// from it on as one.
func softmax(f func(y, x []float32, stride int)) *operator {
	return &operator{min: 1, max: 1, outputs: 1, build: func(a *attributes) kernel {
		along := a.int("axis", -1)
		if a.version < 13 {
			along = a.int("axis", 1)
		}
		return func(c *call) []*Tensor {
			x := c.floats(0)
			shape := c.rank(0, 1).Shape
			at := axis(along, len(shape))
			n, inner := shape[at], product(shape[at+1:])
			if a.version < 13 {
				n, inner = n*inner, 1
			}
			t, y := c.over(0)
			if len(x) == 0 {
				return []*Tensor{t}
			}
			par.Blocks(c.threads, len(x)/n, max(1, blockLen/n), func(lo, hi int) {
				for i := lo; i < hi; i++ {
					from := i/inner*n*inner + i%inner
					end := from + (n-1)*inner + 1
					f(y[from:end], x[from:end], inner)
				}
			})
			return []*Tensor{t}
		}
	}}
}

func largest(x []float32, stride int) float32 {
	m := float32(math.Inf(-1))
	if stride == 1 {
		return vec.Largest(x)
	}
	for i := 0; i < len(x); i += stride {
		m = max(m, x[i])
	}
	return m
}

func softmaxRow(y, x []float32, stride int) {
	m, sum := largest(x, stride), 0.0
	if stride == 1 {
		vec.Exp(y, x, m)
		scale := float32(1 / vec.Sum(y))
		for i, v := range y {
			y[i] = v * scale
		}
		return
	}
	for i := 0; i < len(x); i += stride {
		e := elem.Exp(float64(x[i] - m))
		sum += e
		y[i] = float32(e)
	}
	scale := 1 / sum
	for i := 0; i < len(x); i += stride {
		y[i] = float32(float64(y[i]) * scale)
	}
}

func logSoftmaxRow(y, x []float32, stride int) {
	m, sum := largest(x, stride), 0.0
	for i := 0; i < len(x); i += stride {
		sum += elem.Exp(float64(x[i] - m))
	}
	log := elem.Log(sum)
	for i := 0; i < len(x); i += stride {
		y[i] = float32(float64(x[i]-m) - log)
	}
}

// hardmaxRow sets the first of the largest elements to 1.
func hardmaxRow(y, x []float32, stride int) {
	best := 0
	for i := 0; i < len(x); i += stride {
		if x[i] > x[best] {
			best = i
		}
	}
	for i := 0; i < len(x); i += stride {
		y[i] = 0
	}
	y[best] = 1
}
