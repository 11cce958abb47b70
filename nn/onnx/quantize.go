package onnx

import (
	"math"
	"slices"
)

// quantization is how the scale and the zero point broadcast to what is quantised.
type quantization struct{ axis, block int }

func newQuantization(a *attributes) quantization {
	q := quantization{a.int("axis", 1), a.int("block_size", 0)}
	if q.block < 0 {
		failf("attribute block_size is %d", q.block)
	}
	return q
}

// spread returns a scale or zero point with a shape that broadcasts to x.
func (q quantization) spread(c *call, p, x *Tensor) *Tensor {
	switch {
	case p.Len() == 1:
		return &Tensor{Data: p.Data}
	case q.block > 0:
		along := axis(q.axis, len(x.Shape))
		if len(p.Shape) != len(x.Shape) || p.Shape[along] != (x.Shape[along]+q.block-1)/q.block {
			failf("scales of shape %v for shape %v in blocks of %d", p.Shape, x.Shape, q.block)
		}
		index := make([]int, x.Shape[along])
		for i := range index {
			index[i] = i / q.block
		}
		return c.picked(p, along, index)
	}
	along := axis(q.axis, len(x.Shape))
	if len(p.Shape) != 1 || p.Shape[0] != x.Shape[along] {
		failf("scales of shape %v for axis %d of shape %v", p.Shape, along, x.Shape)
	}
	shape := slices.Repeat([]int{1}, len(x.Shape)-along)
	shape[0] = p.Shape[0]
	return &Tensor{Shape: shape, Data: p.Data}
}

// parameters returns the scale and the zero point, as floats, over the shape of x.
func (q quantization) parameters(c *call, x *Tensor) (scale, zero *Tensor) {
	c.floats(1)
	scale, zero = q.spread(c, c.tensor(1), x), &Tensor{Data: []float32{0}}
	if c.has(2) {
		if c.in[2].Type() == Bool || !slices.Equal(c.in[2].Shape, c.in[1].Shape) && c.in[2].Len() != 1 {
			failf("zero points are %v of shape %v", c.in[2].Type(), c.in[2].Shape)
		}
		zero = q.spread(c, cast(c, c.in[2], Float32), x)
	}
	for _, p := range []*Tensor{scale, zero} {
		if !slices.Equal(broadcast(x.Shape, p.Shape), x.Shape) {
			failf("scales of shape %v for shape %v", p.Shape, x.Shape)
		}
	}
	return scale, zero
}

func buildQuantize(a *attributes) kernel {
	q := newQuantization(a)
	a.ignore("saturate")
	typ := Uint8
	if to := a.int("output_dtype", 0); to != 0 {
		typ = newCastTo(to).typ
	}
	return func(c *call) []*Tensor {
		x, typ := c.tensor(0), typ
		if x.Type() != Float32 {
			x = cast(c, x, Float32)
		}
		if c.has(2) {
			typ = c.in[2].Type()
		}
		scale, zero := q.parameters(c, x)
		y := c.new(Float32, x.Shape)
		combined(c, x, scale, y, pairwise(func(x, s float32) float32 { return float32(math.RoundToEven(float64(x / s))) }))
		z := c.new(Float32, x.Shape)
		combined(c, y, zero, z, addFloats)
		return []*Tensor{cast(c, z, typ)}
	}
}

func buildDequantize(a *attributes) kernel {
	q := newQuantization(a)
	return func(c *call) []*Tensor {
		x := c.tensor(0)
		scale, zero := q.parameters(c, x)
		if x.Type() == Float32 || x.Type() == Bool {
			failf("input 0 is %v, not integers", x.Type())
		}
		y := c.new(Float32, x.Shape)
		combined(c, cast(c, x, Float32), zero, y, subFloats)
		z := c.new(Float32, x.Shape)
		combined(c, y, scale, z, mulFloats)
		return []*Tensor{z}
	}
}
