package onnx

import (
	"slices"

	"github.com/convergent-go/convergent/internal/conv"
	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
)

// filters are the weights of a convolution, [Out, positions, channels of a group], and the
// bias.
type filters struct {
	*conv.Filters
	w, bias []float32
}

// buildConv returns the kernel of Conv, of any number of spatial axes, whose images have
// channels last.
func buildConv(a *attributes) kernel {
	win, groups := newWindows(a), a.int("group", 1)
	positive("group", []int{groups})
	return func(c *call) []*Tensor {
		x, w := c.rank(0, 3), c.tensor(1)
		c.floats(0)
		c.floats(1)
		if len(w.Shape) != len(x.Shape) || x.Shape[1]%groups != 0 || w.Shape[0]%groups != 0 || w.Shape[1] != x.Shape[1]/groups || w.Len() == 0 {
			failf("weights of shape %v for an input of shape %v in %d groups", w.Shape, x.Shape, groups)
		}
		spans := win.fit(x.Shape[2:], w.Shape[2:])
		bias := c.vector(2, w.Shape[0])
		f := c.filters(w, bias)
		x = c.lastChannels(x)
		y, d := c.newFloats(outs(x.Shape[0], w.Shape[0], spans))
		y.channelsLast = true
		if len(d) > 0 {
			if x.Len() == 0 {
				failf("an input of shape %v", x.Shape)
			}
			c.convolve(spans, groups, y, x, f)
		}
		return []*Tensor{y}
	}
}

// filters returns the weights, transposed, with the batch normalisation after the node
// made part of them. Those that are constant are kept.
func (c *call) filters(w *Tensor, bias []float32) filters {
	if c.isConstant(1) && (!c.has(2) || c.isConstant(2)) {
		return c.prepared(func() any { return c.transposeFilters(w, bias) }).(filters)
	}
	return c.transposeFilters(w, bias)
}

func (c *call) transposeFilters(w *Tensor, bias []float32) filters {
	out, depth, size := w.Shape[0], w.Shape[1], product(w.Shape[2:])
	f := filters{w: w.Data.([]float32), bias: bias}
	if depth > 1 && size > 1 {
		f.w = make([]float32, w.Len())
		copyStrided(c.threads, []int{out, size, depth}, f.w, 0, []int{size * depth, depth, 1}, w.Data, 0, []int{size * depth, 1, size})
	}
	if c.step != nil && c.step.norm != nil {
		n := c.step.affine
		f.w = slices.Clone(f.w)
		f.bias = make([]float32, out)
		for o := range out {
			row := f.w[o*size*depth:][:size*depth]
			for i, v := range row {
				row[i] = float32(v * n.scale[o])
			}
			if bias != nil {
				f.bias[o] = float32(bias[o]*n.scale[o]) + n.shift[o]
			} else {
				f.bias[o] = n.shift[o]
			}
		}
	}
	f.Filters = conv.NewFilters(f.w)
	return f
}

// convolve computes y from images x whose channels are last in memory.
func (c *call) convolve(spans []span, groups int, t, x *Tensor, f filters) {
	y := t.Data.([]float32)
	n, ch := x.Shape[0], x.Shape[1]
	out := len(f.w) / (ch / groups)
	for _, s := range spans {
		out /= s.kernel
	}
	if len(spans) <= 2 {
		w := spans[len(spans)-1]
		h := span{in: 1, out: 1, kernel: 1, stride: w.stride, dilation: 1}
		if len(spans) == 2 {
			h = spans[0]
		}
		if h.stride == w.stride && (h.dilation == 1 || h.kernel == 1) && (w.dilation == 1 || w.kernel == 1) {
			g := conv.Geometry{N: n, H: h.in, W: w.in, C: ch, Out: out, KH: h.kernel, KW: w.kernel, Stride: h.stride, Groups: groups}
			data := x.Data.([]float32)
			if p := h.before; p == h.after && p == w.before && p == w.after && (h.in+2*p-h.kernel)/h.stride+1 == h.out && (w.in+2*p-w.kernel)/w.stride+1 == w.out {
				g.Pad = p
			} else { // the kernel pads all sides alike
				g.H, g.W = (h.out-1)*h.stride+h.kernel, (w.out-1)*w.stride+w.kernel
				buf := c.framed(x, h, w, g.H, g.W)
				defer c.mem.release(buf)
				data = buf.data
			}
			f.Forward(c.threads, g, y, data, conv.Epilogue{Bias: f.bias, ReLU: c.relu(), Done: c.after(t)})
			return
		}
	}
	c.convolvePatches(spans, groups, out, y, x, f)
}

// framed returns images, whose channels are last in memory, with their padding, as far as the
// rows and columns that windows reach.
func (c *call) framed(x *Tensor, h, w span, rows, cols int) *buffer {
	n, ch, data := x.Shape[0], x.Shape[1], x.Data.([]float32)
	size, ok := elements([]int{n, rows, cols, ch})
	if !ok {
		failf("%d x %d positions", rows, cols)
	}
	buf := c.scratch(size)
	par.For(c.threads, n*rows, func(i int) {
		row := buf.data[i*cols*ch:][:cols*ch]
		from := i%rows - h.before
		if from < 0 || from >= h.in {
			clear(row)
			return
		}
		src := data[(i/rows*h.in+from)*w.in*ch:][:w.in*ch]
		lo, hi := min(w.before, cols), min(w.before+w.in, cols)
		clear(row[:lo*ch])
		copy(row[lo*ch:hi*ch], src)
		clear(row[hi*ch:])
	})
	return buf
}

// convolvePatches multiplies filters with a matrix of patches, of some positions at a
// time.
func (c *call) convolvePatches(spans []span, groups, out int, y []float32, x *Tensor, f filters) {
	n, ch := x.Shape[0], x.Shape[1]
	data := x.Data.([]float32)
	depth, per := ch/groups, out/groups
	size, positions := 1, n
	for _, s := range spans {
		size *= s.kernel
		positions *= s.out
	}
	patch := size * depth
	block := min(positions, max(1, (1<<20)/patch))
	buf := c.scratch(block * patch)
	defer c.mem.release(buf)
	relu := c.relu()
	p := patches{spans: spans, x: data, ch: ch, depth: depth}
	p.image = ch
	for _, s := range spans {
		p.image *= s.in
	}
	for g := range groups {
		for lo := 0; lo < positions; lo += block {
			hi := min(positions, lo+block)
			par.Blocks(c.threads, hi-lo, max(1, blockLen/patch), func(i, j int) {
				for ; i < j; i++ {
					p.gather(buf.data[i*patch:][:patch], lo+i, g)
				}
			})
			var bias []float32
			if f.bias != nil {
				bias = f.bias[g*per:][:per]
			}
			level3.Gemm(c.threads, level3.Product{
				M: hi - lo, N: per, K: patch,
				A: level3.Rows{Data: buf.data, Stride: patch}, B: level3.Rows{Data: f.w[g*per*patch:], Stride: patch},
				C: y[lo*out+g*per:], LDC: out, Epilogue: level3.Epilogue{Bias: bias, ReLU: relu}})
		}
	}
}

// patches are the parts of images that filters see.
type patches struct {
	spans            []span
	x                []float32
	ch, depth, image int
}

// gather writes the patch of an output position, counted over all images, in a group's
// channels.
func (p patches) gather(dst []float32, position, group int) {
	at := make([]int, len(p.spans))
	for i, s := range slices.Backward(p.spans) {
		at[i] = position%s.out*s.stride - s.before
		position /= s.out
	}
	index := make([]int, len(p.spans))
	for ; len(dst) > 0; dst = dst[p.depth:] {
		inside, o := true, 0
		for i, s := range p.spans {
			q := at[i] + index[i]*s.dilation
			inside = inside && q >= 0 && q < s.in
			o = o*s.in + q
		}
		if inside {
			copy(dst[:p.depth], p.x[position*p.image+o*p.ch+group*p.depth:])
		} else {
			clear(dst[:p.depth])
		}
		for i := len(index) - 1; i >= 0; i-- {
			if index[i]++; index[i] < p.spans[i].kernel {
				break
			}
			index[i] = 0
		}
	}
}
