package onnx

import (
	"math"
	"slices"

	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/internal/vec"
)

// pooling is how what a window sees becomes one row of channels.
type pooling struct {
	begin  float32
	step   func(y, x []float32) // of one position
	finish func(y []float32, seen, size int)
}

// pool returns the kernel of an operator that pools.
func (o pooling) kernel(win windows) kernel {
	return func(c *call) []*Tensor {
		x := c.rank(0, 3)
		c.floats(0)
		spans := win.fit(x.Shape[2:], win.kernel)
		x = c.lastChannels(x)
		y, d := c.newFloats(outs(x.Shape[0], x.Shape[1], spans))
		y.channelsLast = true
		ch := x.Shape[1]
		if len(d) == 0 {
			return []*Tensor{y}
		}
		data := x.Data.([]float32)
		image, positions := product(x.Shape[2:]), len(d)/ch
		each := positions / x.Shape[0]
		work := ch
		for _, s := range spans {
			work = min(work*s.kernel, blockLen)
		}
		if len(spans) == 2 {
			o.rows(c, y, data, ch, spans)
			return []*Tensor{y}
		}
		par.Blocks(c.threads, positions, max(1, blockLen/work), func(from, to int) {
			n := len(spans)
			at, lo, hi, index := make([]int, n), make([]int, n), make([]int, n), make([]int, n)
			for p := from; p < to; p++ {
				row := d[p*ch:][:ch]
				fillWith(row, o.begin)
				rest, seen, size := p%each, 1, 1
				for i := n - 1; i >= 0; i-- {
					s := spans[i]
					at[i], lo[i], hi[i] = s.from(rest % s.out)
					rest /= s.out
					seen *= hi[i] - lo[i]
					size *= s.kernel
				}
				copy(index, lo)
				for range seen {
					q := p / each * image
					offset := 0
					for i, s := range spans {
						offset = offset*s.in + at[i] + index[i]*s.dilation
					}
					o.step(row, data[(q+offset)*ch:][:ch])
					for i := n - 1; i >= 0; i-- {
						if index[i]++; index[i] < hi[i] {
							break
						}
						index[i] = lo[i]
					}
				}
				if o.finish != nil {
					o.finish(row, seen, size)
				}
			}
		})
		return []*Tensor{y}
	}
}

// rows pools the images x of ch channels, a row of the result at a time: first what a column
// of each window sees, for all columns, and then those.
func (o pooling) rows(c *call, y *Tensor, x []float32, ch int, spans []span) {
	d, v, h := y.Data.([]float32), spans[0], spans[1]
	width := h.in * ch
	par.For(c.threads, len(d)/(h.out*ch), func(i int) {
		at, lo, hi := v.from(i % v.out)
		buf := level3.Scratch(width)
		defer level3.Release(buf)
		columns := *buf
		fillWith(columns, o.begin)
		for k := lo; k < hi; k++ {
			o.step(columns, x[(i/v.out*v.in+at+k*v.dilation)*width:][:width])
		}
		rows := hi - lo
		for j := range h.out {
			at, lo, hi := h.from(j)
			dst := d[(i*h.out+j)*ch:][:ch]
			fillWith(dst, o.begin)
			for k := lo; k < hi; k++ {
				o.step(dst, columns[(at+k*h.dilation)*ch:][:ch])
			}
			if o.finish != nil {
				o.finish(dst, rows*(hi-lo), v.kernel*h.kernel)
			}
		}
	})
}

func needKernel(w windows) windows {
	if w.kernel == nil {
		failf("attribute kernel_shape is missing")
	}
	return w
}

// buildMaxPool returns the kernel of MaxPool, without indices.
func buildMaxPool(a *attributes) kernel {
	w := needKernel(newWindows(a))
	w.ceil = a.bool("ceil_mode", false)
	order := a.int("storage_order", 0)
	floats := pooling{begin: float32(math.Inf(-1)), step: vec.Raise}.kernel(w)
	return func(c *call) []*Tensor {
		if len(a.outputs) > 1 {
			return c.maxima(w, order == 1)
		}
		if t := c.tensor(0).Type(); t == Uint8 || t == Int8 {
			in := c.in[0]
			c.in = []*Tensor{cast(c, in, Float32)}
			return []*Tensor{cast(c, floats(c)[0], t)}
		}
		return floats(c)
	}
}

// maxima is a MaxPool that says where its maxima lie.
func (c *call) maxima(w windows, columns bool) []*Tensor {
	x := c.rank(0, 3)
	c.floats(0)
	spans := w.fit(x.Shape[2:], w.kernel)
	x = c.plain(x)
	y, d := c.newFloats(outs(x.Shape[0], x.Shape[1], spans))
	where := c.new(Int64, y.Shape)
	image, each, n := product(x.Shape[2:]), product(y.Shape[2:]), len(spans)
	at, lo, hi, index := make([]int, n), make([]int, n), make([]int, n), make([]int, n)
	for p := range d {
		rest, seen := p%each, 1
		for i := n - 1; i >= 0; i-- {
			at[i], lo[i], hi[i] = spans[i].from(rest % spans[i].out)
			rest /= spans[i].out
			seen *= hi[i] - lo[i]
		}
		copy(index, lo)
		best, from := float32(math.Inf(-1)), -1
		for range seen {
			offset, transposed, step := 0, 0, 1
			for i, s := range spans {
				q := at[i] + index[i]*s.dilation
				offset = offset*s.in + q
				transposed += q * step
				step *= s.in
			}
			if v := x.Data.([]float32)[p/each*image+offset]; v > best || from < 0 {
				best, from = v, offset
				if columns {
					from = transposed
				}
			}
			for i := n - 1; i >= 0; i-- {
				if index[i]++; index[i] < hi[i] {
					break
				}
				index[i] = lo[i]
			}
		}
		d[p], where.Data.([]int64)[p] = best, int64(p/each*image+from)
	}
	return []*Tensor{y, where}
}

func buildAveragePool(a *attributes) kernel {
	w := needKernel(newWindows(a))
	w.ceil = a.bool("ceil_mode", false)
	all := a.bool("count_include_pad", false)
	return pooling{step: vec.Add, finish: func(y []float32, seen, size int) {
		n := float32(max(1, seen))
		if all {
			n = float32(max(1, size))
		}
		for i := range y {
			y[i] /= n
		}
	}}.kernel(w)
}

// spatial reduces all spatial axes, to the mean or to something else.
func spatial(r reduction, mean bool) *operator {
	return &operator{min: 1, max: 1, outputs: 1, channelsLast: true, build: func(a *attributes) kernel {
		return func(c *call) []*Tensor {
			x := c.rank(0, 3)
			c.floats(0)
			var over []int
			for i := 2; i < len(x.Shape); i++ {
				over = append(over, i)
			}
			if slices.Contains(x.Shape[2:], 0) {
				failf("an input of shape %v", x.Shape)
			}
			if mean && x.channelsLast {
				return []*Tensor{c.means(x)}
			}
			return []*Tensor{c.reduced(r, x, over, true)}
		}
	}}
}

// means returns the means of the channels of images, whose channels are last in memory.
func (c *call) means(x *Tensor) *Tensor {
	ch, d := x.Shape[1], x.Data.([]float32)
	y, means := c.newFloats(outs(x.Shape[0], ch, slices.Repeat([]span{{out: 1}}, len(x.Shape)-2)))
	n := product(x.Shape[2:])
	par.For(c.threads, x.Shape[0], func(i int) {
		sums, squares := make([]float64, ch), make([]float64, ch)
		image := d[i*n*ch:][:n*ch]
		vec.ColumnSums(sums, squares, image, image)
		for k, s := range sums {
			means[i*ch+k] = float32(s / float64(n))
		}
	})
	return y
}
