package onnx

import (
	"math"
	"slices"

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

// spatial reduces all spatial axes.
func spatial(r reduction) *operator {
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
			return []*Tensor{c.reduced(r, x, over, true)}
		}
	}}
}
