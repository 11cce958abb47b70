package onnx

import (
	"math"
	"slices"

	"github.com/convergent-go/convergent/internal/elem"
	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/internal/vec"
)

// affine is scale*x + shift for each channel.
type affine struct{ scale, shift []float32 }

// newAffine returns (x - mean) / sqrt(variance + epsilon) * scale + bias as that.
func newAffine(scale, bias, mean, variance []float32, epsilon float32) affine {
	f := affine{make([]float32, len(scale)), make([]float32, len(scale))}
	for i, s := range scale {
		v := float64(s) / math.Sqrt(float64(variance[i])+float64(epsilon))
		f.scale[i] = float32(v)
		f.shift[i] = float32(float64(bias[i]) - float64(float64(mean[i])*v))
	}
	return f
}

// buildBatchNormalization returns the kernel of BatchNormalization.
func buildBatchNormalization(a *attributes) kernel {
	epsilon := a.float("epsilon", 1e-5)
	a.epsilon = epsilon
	a.ignore("momentum", "consumed_inputs")
	if a.bool("training_mode", false) {
		failf("attribute training_mode: training is not supported")
	}
	if a.int("spatial", 1) != 1 {
		failf("attribute spatial is not 1")
	}
	if a.version < 7 && !a.bool("is_test", false) {
		failf("attribute is_test: training is not supported")
	}
	return func(c *call) []*Tensor {
		x := c.rank(0, 2)
		c.floats(0)
		n := x.Shape[1]
		for i := 1; i < 5; i++ {
			c.tensor(i)
		}
		scale, bias, mean, variance := c.vector(1, n), c.vector(2, n), c.vector(3, n), c.vector(4, n)
		s := newAffine(scale, bias, mean, variance, epsilon)
		t, y := c.over(0)
		s.rows(c, y, x)
		return []*Tensor{t}
	}
}

// rows computes scale*x + shift of each channel, in either layout.
func (f affine) rows(c *call, y []float32, x *Tensor) {
	d, ch := x.Data.([]float32), x.Shape[1]
	if len(d) == 0 {
		return
	}
	if positions := product(x.Shape[2:]); !x.channelsLast && positions > 1 {
		par.For(c.threads, x.Shape[0]*ch, func(i int) {
			s, b := f.scale[i%ch], f.shift[i%ch]
			dst := y[i*positions:][:positions]
			for k, v := range d[i*positions:][:positions] {
				dst[k] = float32(s*v) + b
			}
		})
		return
	}
	par.Blocks(c.threads, len(d)/ch, max(1, blockLen/ch), func(lo, hi int) {
		vec.Affine(y[lo*ch:hi*ch], d[lo*ch:hi*ch], f.scale, f.shift)
	})
}

// buildGroups returns a kernel that normalises each image's groups of channels, of which
// each channel is one if perChannel.
func buildGroups(perChannel bool) func(a *attributes) kernel {
	return func(a *attributes) kernel {
		epsilon := a.float("epsilon", 1e-5)
		groups := 0
		if perChannel {
			a.ignore("consumed_inputs")
		} else {
			groups = a.int("num_groups", 0)
			positive("num_groups", []int{groups})
			a.ignore("stash_type")
		}
		return func(c *call) []*Tensor {
			x := c.rank(0, 2)
			d := c.floats(0)
			ch, groups := x.Shape[1], groups
			if perChannel {
				groups = ch
			}
			if groups == 0 || ch%groups != 0 {
				failf("%d channels in %d groups", ch, groups)
			}
			n := ch
			if !perChannel && a.version < 21 {
				n = groups // so the versions before had it
			}
			c.tensor(1)
			c.tensor(2)
			scale, bias := c.vector(1, n), c.vector(2, n)
			t, y := c.newFloats(x.Shape)
			if len(d) == 0 {
				return []*Tensor{t}
			}
			positions := product(x.Shape[2:])
			size := ch / groups * positions
			par.For(c.threads, x.Shape[0]*groups, func(i int) {
				row := d[i*size:][:size]
				mean, variance := vec.Moments(row)
				inverse := 1 / math.Sqrt(variance+float64(epsilon))
				for k := range ch / groups {
					at := i%groups*(ch/groups) + k
					if n != ch {
						at = i % groups
					}
					s := float64(inverse * float64(scale[at]))
					b := float64(bias[at]) - float64(mean*s)
					for p := k * positions; p < (k+1)*positions; p++ {
						y[i*size+p] = float32(float64(float64(row[p])*s) + b)
					}
				}
			})
			return []*Tensor{t}
		}
	}
}

// buildLayerNormalization returns the kernel of LayerNormalization.
func buildLayerNormalization(a *attributes) kernel {
	epsilon, from := a.float("epsilon", 1e-5), a.int("axis", -1)
	a.ignore("stash_type")
	return func(c *call) []*Tensor {
		x := c.rank(0, 1)
		d := c.floats(0)
		from := axis(from, len(x.Shape))
		n := product(x.Shape[from:])
		fit := func(i int) []float32 {
			if !c.has(i) {
				return nil
			}
			if len(c.floats(i)) != n || !slices.Equal(c.in[i].Shape, x.Shape[from:]) {
				y := c.expanded(c.in[i], broadcast(c.in[i].Shape, x.Shape[from:]))
				if y.Len() != n {
					failf("input %d (%s) has shape %v for shape %v", i, c.node.Inputs[i], c.in[i].Shape, x.Shape[from:])
				}
				return y.Data.([]float32)
			}
			return c.floats(i)
		}
		c.tensor(1)
		scale, bias := fit(1), fit(2)
		if bias == nil {
			bias = make([]float32, n)
		}
		t, y := c.over(0)
		var shape []int
		for i, s := range x.Shape {
			if i >= from {
				s = 1
			}
			shape = append(shape, s)
		}
		out := []*Tensor{t}
		var means, inverses []float32
		if len(a.outputs) > 1 {
			m, md := c.newFloats(shape)
			v, vd := c.newFloats(shape)
			out, means, inverses = append(out, m, v), md, vd
		}
		if len(d) == 0 {
			return out
		}
		par.Blocks(c.threads, len(d)/n, max(1, blockLen/n), func(lo, hi int) {
			for i := lo; i < hi; i++ {
				row, dst := d[i*n:][:n], y[i*n:][:n]
				mean, variance := vec.Moments(row)
				inverse := 1 / math.Sqrt(variance+float64(epsilon))
				if means != nil {
					means[i], inverses[i] = float32(mean), float32(inverse)
				}
				vec.Standardize(dst, row, scale, bias, float32(mean), float32(inverse))
			}
		})
		return out
	}
}

// buildMeanVariance returns the kernel of MeanVarianceNormalization.
func buildMeanVariance(a *attributes) kernel {
	list := a.ints("axes")
	if list == nil {
		list = []int{0, 2, 3}
	}
	return func(c *call) []*Tensor {
		x := c.tensor(0)
		c.floats(0)
		over := axes(list, len(x.Shape))
		centred := subtraction.compute(c, x, c.reduced(meanOf, x, over, true))
		deviation := c.reduced(reduction{0, squares, func(s float64, n int) float64 { return math.Sqrt(s/float64(n)) + 1e-9 }, false}, centred, over, true)
		return []*Tensor{division.compute(c, centred, deviation)}
	}
}

// buildLpNormalization returns the kernel of LpNormalization.
func buildLpNormalization(a *attributes) kernel {
	along, p := a.int("axis", -1), a.int("p", 2)
	r := l2Of
	if p == 1 {
		r = l1Of
	} else if p != 2 {
		failf("attribute p is %d, not 1 or 2", p)
	}
	return func(c *call) []*Tensor {
		x := c.rank(0, 1)
		c.floats(0)
		return []*Tensor{division.compute(c, x, c.reduced(r, x, []int{axis(along, len(x.Shape))}, true))}
	}
}

// buildLRN returns the kernel of LRN: x / (bias + alpha/size * sum of squares over
// channels nearby)^beta.
func buildLRN(a *attributes) kernel {
	size := a.int("size", 0)
	positive("size", []int{size})
	alpha, beta, bias := a.float("alpha", 1e-4), a.float("beta", 0.75), a.float("bias", 1)
	return func(c *call) []*Tensor {
		x := c.lastChannels(c.rank(0, 3))
		c.floats(0)
		d := x.Data.([]float32)
		t, y := c.newFloats(x.Shape)
		t.channelsLast = true
		ch := x.Shape[1]
		if len(d) == 0 {
			return []*Tensor{t}
		}
		before, after := (size-1)/2, size-1-(size-1)/2
		par.Blocks(c.threads, len(d)/ch, max(1, blockLen/ch), func(lo, hi int) {
			scales := make([]float32, ch)
			for i := lo; i < hi; i++ {
				row := d[i*ch:][:ch]
				for k := range row {
					sum := 0.0
					for _, v := range row[max(0, k-before):min(ch, k+after+1)] {
						sum += float64(float64(v) * float64(v))
					}
					scales[k] = float32(float64(bias) + float64(float64(alpha/float32(size))*sum))
				}
				dst := y[i*ch:][:ch]
				if beta == 0.75 {
					vec.ThreeQuarters(dst, row, scales)
					continue
				}
				for k, v := range row {
					dst[k] = float32(float64(v) * elem.Exp(float64(-float64(beta)*elem.Log(float64(scales[k])))))
				}
			}
		})
		return []*Tensor{t}
	}
}
