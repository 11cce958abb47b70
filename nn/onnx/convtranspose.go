package onnx

import (
	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
)

// buildConvTranspose returns the kernel of ConvTranspose: each input position's product
// with all weights is added to the output positions that it reaches.
func buildConvTranspose(a *attributes) kernel {
	win, groups := newWindows(a), a.int("group", 1)
	positive("group", []int{groups})
	extra, want := a.ints("output_padding"), a.ints("output_shape")
	return func(c *call) []*Tensor {
		x, w := c.rank(0, 3), c.tensor(1)
		c.floats(0)
		weights := c.floats(1)
		n := len(x.Shape) - 2
		if len(w.Shape) != len(x.Shape) || w.Shape[0] != x.Shape[1] || x.Shape[1]%groups != 0 || w.Len() == 0 {
			failf("weights of shape %v for an input of shape %v in %d groups", w.Shape, x.Shape, groups)
		}
		spans := win.transposed(x.Shape[2:], w.Shape[2:], extra, want)
		per, depth, size := w.Shape[1], x.Shape[1]/groups, product(w.Shape[2:])
		out := per * groups
		bias := c.vector(2, out)
		x = c.lastChannels(x)
		y, d := c.newFloats(outs(x.Shape[0], out, spans))
		y.channelsLast = true
		if y.Len() == 0 {
			return []*Tensor{y}
		}
		positions, ch := product(x.Shape[2:]), x.Shape[1]
		image := product(y.Shape[2:])
		// Row o of the matrix is a channel and position of the filter: [per, size] as it lies.
		buf := c.scratch(positions * per * size)
		defer c.mem.release(buf)
		for b := range x.Shape[0] {
			dst := d[b*image*out:][:image*out]
			for p := range image {
				if row := dst[p*out:][:out]; bias == nil {
					clear(row)
				} else {
					copy(row, bias)
				}
			}
			for g := range groups {
				level3.Gemm(c.threads, level3.Product{
					M: positions, N: per * size, K: depth,
					A: level3.Rows{Data: x.Data.([]float32)[b*positions*ch+g*depth:], Stride: ch},
					B: level3.Cols{Data: weights[g*depth*per*size:], Stride: per * size},
					C: buf.data, LDC: per * size})
				// Channels are divided among threads, so that sums have one order.
				par.Blocks(c.threads, per, max(1, per/8), func(lo, hi int) {
					at, index := make([]int, n), make([]int, n)
					for p := range positions {
						rest := p
						for i := n - 1; i >= 0; i-- {
							at[i] = rest%spans[i].in*spans[i].stride - spans[i].before
							rest /= spans[i].in
						}
						for k := range size {
							rest := k
							for i := n - 1; i >= 0; i-- {
								index[i] = rest % spans[i].kernel
								rest /= spans[i].kernel
							}
							to, inside := 0, true
							for i, s := range spans {
								q := at[i] + index[i]*s.dilation
								inside = inside && q >= 0 && q < s.out
								to = to*s.out + q
							}
							if !inside {
								continue
							}
							row, src := dst[to*out+g*per:][:per], buf.data[p*per*size:][:per*size]
							for o := lo; o < hi; o++ {
								row[o] += src[o*size+k]
							}
						}
					}
				})
			}
		}
		return []*Tensor{y}
	}
}

// transposed returns the spans of a transposed convolution: in and out are of its input
// and output.
func (w windows) transposed(sizes, kernel, extra, want []int) []span {
	n := len(sizes)
	if w.kernel != nil && len(w.kernel) != n || w.stride != nil && len(w.stride) != n || w.dilation != nil && len(w.dilation) != n ||
		w.pads != nil && len(w.pads) != 2*n || extra != nil && len(extra) != n || want != nil && len(want) != n && len(want) != n+2 {
		failf("kernel_shape, strides, dilations, pads, output_padding or output_shape do not fit %d spatial axes", n)
	}
	if len(want) == n+2 {
		want = want[2:]
	}
	out := make([]span, n)
	for i := range out {
		s := span{in: sizes[i], kernel: kernel[i], stride: 1, dilation: 1}
		if w.kernel != nil && w.kernel[i] != s.kernel {
			failf("attribute kernel_shape is %v, the weights have %v", w.kernel, kernel)
		}
		if w.stride != nil {
			s.stride = w.stride[i]
		}
		if w.dilation != nil {
			s.dilation = w.dilation[i]
		}
		more := 0
		if extra != nil {
			more = extra[i]
		}
		if s.kernel > 1<<30/s.dilation || s.in > 1<<30/s.stride || more < 0 || more > 1<<30 {
			failf("a kernel of %d at dilation %d and stride %d", s.kernel, s.dilation, s.stride)
		}
		full := (s.in-1)*s.stride + s.reach() + more
		same := w.auto == "SAME_UPPER" || w.auto == "SAME_LOWER"
		switch {
		case want != nil || same:
			if s.out = s.in * s.stride; want != nil {
				s.out = want[i]
			}
			total := max(0, full-s.out)
			if s.before = total / 2; w.auto == "SAME_LOWER" || want != nil && w.auto == "NOTSET" {
				s.before = total - total/2
			}
			if want != nil && w.pads != nil && w.auto == "NOTSET" {
				s.before = w.pads[i]
			}
		default:
			if w.pads != nil && w.auto == "NOTSET" {
				s.before, s.after = w.pads[i], w.pads[n+i]
			}
			s.out = full - s.before - s.after
		}
		if s.out < 1 && s.in > 0 {
			failf("an output of %d positions", s.out)
		}
		s.out = max(s.out, 0)
		out[i] = s
	}
	return out
}
