package onnx

import (
	"slices"

	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
)

// buildMatMul returns the kernel of MatMul, whose axes before the last two broadcast.
func buildMatMul(*attributes) kernel {
	return func(c *call) []*Tensor {
		a, b := c.rank(0, 1), c.rank(1, 1)
		if a.Type() != Float32 {
			c.step = nil // its followers are not for floats
			y := c.matmul(cast(c, a, Float32), cast(c, b, Float32))
			return []*Tensor{cast(c, y, a.Type())}
		}
		c.floats(1)
		return []*Tensor{c.matmul(a, b)}
	}
}

// multiply computes the rows y of m vectors of a with a B of n vectors of k terms, input 1 of
// the node, which is packed once if it is constant.
func (c *call) multiply(t *Tensor, y []float32, m, n, k int, a, b level3.Operand, bias []float32) {
	e := level3.Epilogue{Bias: bias}
	if bias == nil {
		e.Bias = c.addend(n)
	}
	e.ReLU = c.relu()
	if !c.isConstant(1) {
		level3.Gemm(c.threads, level3.Product{M: m, N: n, K: k, LDC: n, A: a, B: b, C: y, Epilogue: e})
		return
	}
	packed := c.prepared(func() any { return level3.PackB(c.threads, n, k, b) }).(level3.PackedB)
	done := c.after(t)
	if done == nil {
		packed.Gemm(c.threads, m, a, y, n, e, nil)
		return
	}
	packed.Gemm(c.threads, m, a, y, n, e, func(i0, i1, j0, j1 int) {
		if j1-j0 == n {
			done(i0*n, (i1-i0)*n)
			return
		}
		for i := i0; i < i1; i++ {
			done(i*n+j0, j1-j0)
		}
	})
}

func (c *call) matmul(a, b *Tensor) *Tensor {
	as, bs := a.Shape, b.Shape
	if len(as) == 1 {
		as = []int{1, as[0]}
	}
	if len(bs) == 1 {
		bs = []int{bs[0], 1}
	}
	m, k, n := as[len(as)-2], as[len(as)-1], bs[len(bs)-1]
	if bs[len(bs)-2] != k {
		failf("shapes %v and %v cannot be multiplied", a.Shape, b.Shape)
	}
	ab, bb := as[:len(as)-2], bs[:len(bs)-2]
	batch := broadcast(ab, bb)
	shape := slices.Clone(batch)
	if len(a.Shape) > 1 {
		shape = append(shape, m)
	}
	if len(b.Shape) > 1 {
		shape = append(shape, n)
	}
	y, d := c.newFloats(shape)
	if len(d) == 0 {
		return y
	}
	count := product(batch)
	if product(bb) == 1 { // one B for all rows
		m, count, batch, ab = m*count, 1, nil, nil
		if a.Len() < m*k {
			failf("shapes %v and %v cannot be multiplied", a.Shape, b.Shape)
		}
	}
	x, z := a.Data.([]float32), b.Data.([]float32)
	if count == 1 {
		c.multiply(y, d, m, n, k, level3.Rows{Data: x, Stride: k}, level3.Cols{Data: z, Stride: n}, nil)
		return y
	}
	offsets := func(s []int) []int {
		t := &Tensor{Shape: s}
		at := make([]int, 0, count)
		l := newLoops(batch, storage(len(batch), false), t.stridesOver(batch), strides(batch))
		l.each(func(i, _ int) { at = append(at, i) })
		return at
	}
	fromA, fromB := offsets(ab), offsets(bb)
	c.products(count, func(i int) level3.Product {
		return level3.Product{M: m, N: n, K: k, LDC: n,
			A: level3.Rows{Data: x[fromA[i]*m*k:], Stride: k},
			B: level3.Cols{Data: z[fromB[i]*k*n:], Stride: n}, C: d[i*m*n:][:m*n]}
	})
	return y
}

// products computes count products, each on all threads or on one.
func (c *call) products(count int, f func(i int) level3.Product) {
	if count < c.threads {
		for i := range count {
			level3.Gemm(c.threads, f(i))
		}
		return
	}
	par.For(c.threads, count, func(i int) { level3.Gemm(1, f(i)) })
}

// buildGemm returns the kernel of Gemm: alpha A B + beta C, A and B perhaps transposed.
func buildGemm(a *attributes) kernel {
	alpha, beta := a.float("alpha", 1), a.float("beta", 1)
	ta, tb := a.bool("transA", false), a.bool("transB", false)
	a.ignore("broadcast")
	return func(c *call) []*Tensor {
		x, w := c.tensor(0), c.tensor(1)
		if len(x.Shape) != 2 || len(w.Shape) != 2 {
			failf("shapes %v and %v are not matrices", x.Shape, w.Shape)
		}
		if x.Type() != Float32 {
			failf("input 0 is %v, not float32", x.Type())
		}
		m, k, kb, n := x.Shape[0], x.Shape[1], w.Shape[0], w.Shape[1]
		if ta {
			m, k = k, m
		}
		if tb {
			kb, n = n, kb
		}
		if k != kb {
			failf("shapes %v and %v cannot be multiplied", x.Shape, w.Shape)
		}
		var left, right level3.Operand = level3.Rows{Data: c.floats(0), Stride: k}, level3.Cols{Data: c.floats(1), Stride: n}
		if ta {
			left = level3.Cols{Data: c.floats(0), Stride: m}
		}
		if tb {
			right = level3.Rows{Data: c.floats(1), Stride: k}
		}
		y, d := c.newFloats([]int{m, n})
		if len(d) == 0 {
			return []*Tensor{y}
		}
		switch {
		case alpha == 1 && !c.has(2):
			c.multiply(y, d, m, n, k, left, right, nil)
			return []*Tensor{y}
		case alpha == 1 && beta == 1 && len(c.in[2].Shape) == 1 && c.in[2].Shape[0] == n:
			c.multiply(y, d, m, n, k, left, right, c.floats(2))
			return []*Tensor{y}
		}
		level3.Gemm(c.threads, level3.Product{M: m, N: n, K: k, LDC: n, A: left, B: right, C: d})
		if alpha != 1 {
			c.blocks(len(d), func(lo, hi int) { mulFloats(d[lo:hi], d[lo:hi], 1, []float32{alpha}, 0) })
		}
		if c.has(2) {
			c.floats(2)
			if !slices.Equal(broadcast(c.in[2].Shape, y.Shape), y.Shape) {
				failf("input 2 (%s) of shape %v does not broadcast to %v", c.node.Inputs[2], c.in[2].Shape, y.Shape)
			}
			combined(c, y, c.in[2], y, func(y, a []float32, sa int, b []float32, sb int) {
				for i := range y {
					y[i] = a[i*sa] + float32(beta*b[i*sb])
				}
			})
		}
		return []*Tensor{y}
	}
}
