package onnx

import (
	"slices"

	"github.com/convergent-go/convergent/internal/par"
)

// buildConcat returns the kernel of Concat.
func buildConcat(a *attributes) kernel {
	if !a.has("axis") {
		failf("attribute axis is missing")
	}
	along := a.int("axis", 0)
	return func(c *call) []*Tensor {
		first := c.rank(0, 1)
		along := axis(along, len(first.Shape))
		shape, last := slices.Clone(first.Shape), false
		shape[along] = 0
		for i := range c.in {
			t := c.tensor(i)
			last = last || t.channelsLast
			fits := len(t.Shape) == len(shape) && t.Type() == first.Type()
			for j := 0; fits && j < len(shape); j++ {
				fits = j == along || t.Shape[j] == shape[j]
			}
			if !fits {
				failf("input %d, %v of shape %v, does not fit input 0, %v of shape %v", i, t.Type(), t.Shape, first.Type(), first.Shape)
			}
			shape[along] += t.Shape[along]
		}
		y := c.new(first.Type(), shape)
		y.channelsLast = last
		if c.concatenated(y, along) {
			return []*Tensor{y}
		}
		order, to, at := storage(len(shape), last), y.strides(), 0
		for _, t := range c.in {
			copyOrdered(c.threads, order, t.Shape, y.Data, at, to, t.Data, 0, t.strides())
			at += t.Shape[along] * to[along]
		}
		return []*Tensor{y}
	}
}

// concatenated makes y of the floats of all inputs along an axis, and does what follows row by
// row, if all have their axes in one order in memory; else it does nothing and reports false.
func (c *call) concatenated(y *Tensor, along int) bool {
	d, ok := y.Data.([]float32)
	if !ok || len(d) == 0 || slices.ContainsFunc(c.in, func(t *Tensor) bool { return t.channelsLast != y.channelsLast }) {
		return false
	}
	stride := y.strides()[along] // of what lies side by side for an index of the axis
	row := stride * y.Shape[along]
	done := c.after(y)
	par.Blocks(c.threads, len(d)/row, max(1, blockLen/row), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			dst := d[i*row:][:row]
			for _, t := range c.in {
				n := stride * t.Shape[along]
				copy(dst, t.Data.([]float32)[i*n:][:n])
				dst = dst[n:]
			}
		}
		if done != nil {
			done(lo*row, (hi-lo)*row)
		}
	})
	return true
}

// copyOrdered is copyStrided with the axes in another order, that of memory.
func copyOrdered(threads int, order, shape []int, dst any, dstAt int, dstStrides []int, src any, srcAt int, srcStrides []int) {
	pick := func(v []int) []int {
		out := make([]int, len(order))
		for i, a := range order {
			out[i] = v[a]
		}
		return out
	}
	copyStrided(threads, pick(shape), dst, dstAt, pick(dstStrides), src, srcAt, pick(srcStrides))
}

// part copies the part of x of the given shape that begins at an offset, with strides,
// in the layout of x.
func (c *call) part(x *Tensor, shape []int, at int, from []int) *Tensor {
	y := c.new(x.Type(), shape)
	y.channelsLast = x.channelsLast
	copyOrdered(c.threads, storage(len(shape), x.channelsLast), shape, y.Data, 0, y.strides(), x.Data, at, from)
	return y
}

// buildSplit returns the kernel of Split.
func buildSplit(a *attributes) kernel {
	along := a.int("axis", 0)
	list := listed(a, "split", 13)
	count := a.int("num_outputs", len(a.outputs))
	return func(c *call) []*Tensor {
		x := c.rank(0, 1)
		along := axis(along, len(x.Shape))
		n := x.Shape[along]
		sizes, given := list(c)
		if !given {
			if count != len(a.outputs) {
				failf("attribute num_outputs is %d, the node has %d", count, len(a.outputs))
			}
			each := (n + count - 1) / count
			if a.version < 18 && n%count != 0 {
				failf("shape %v does not divide into %d along axis %d", x.Shape, count, along)
			}
			for left := n; len(sizes) < count; left -= each {
				sizes = append(sizes, max(0, min(left, each)))
			}
		}
		if len(sizes) != len(a.outputs) {
			failf("%d parts for %d outputs", len(sizes), len(a.outputs))
		}
		left := n
		for _, s := range sizes {
			if s < 0 || s > left {
				failf("parts %v of an axis of %d", sizes, n)
			}
			left -= s
		}
		if left != 0 {
			failf("parts %v of an axis of %d", sizes, n)
		}
		var out []*Tensor
		from, at := x.strides(), 0
		for _, s := range sizes {
			shape := slices.Clone(x.Shape)
			shape[along] = s
			out = append(out, c.part(x, shape, at, from))
			at += s * from[along]
		}
		return out
	}
}

// buildSlice returns the kernel of Slice, whose limits are attributes at first.
func buildSlice(a *attributes) kernel {
	old := a.version < 10
	var starts, ends, along []int
	if old {
		starts, ends, along = a.ints("starts"), a.ints("ends"), a.ints("axes")
	}
	return func(c *call) []*Tensor {
		x := c.tensor(0)
		starts, ends, along := starts, ends, along
		var steps []int
		if !old {
			starts, ends = c.ints(1), c.ints(2)
			if c.has(3) {
				along = c.ints(3)
			}
			if c.has(4) {
				steps = c.ints(4)
			}
		}
		if along == nil {
			for i := range starts {
				along = append(along, i)
			}
		}
		along = axes(along, len(x.Shape))
		if steps == nil {
			steps = slices.Repeat([]int{1}, len(along))
		}
		if len(starts) != len(along) || len(ends) != len(along) || len(steps) != len(along) {
			failf("%d starts, %d ends, %d axes and %d steps", len(starts), len(ends), len(along), len(steps))
		}
		shape, from, at := slices.Clone(x.Shape), x.strides(), 0
		for i, ax := range along {
			n, step := x.Shape[ax], steps[i]
			if step == 0 || step < -1<<62 {
				failf("step %d", step)
			}
			lo, hi := starts[i], ends[i]
			if lo < 0 {
				lo += n
			}
			if hi < 0 {
				hi += n
			}
			count := 0
			if step > 0 {
				lo, hi = min(max(lo, 0), n), min(max(hi, 0), n)
				if hi > lo {
					count = (hi-lo-1)/step + 1
				}
			} else {
				lo, hi = min(max(lo, 0), n-1), min(max(hi, -1), n-1)
				if lo > hi {
					count = (lo-hi-1)/-step + 1
				}
			}
			shape[ax] = count
			if count > 0 {
				at += lo * from[ax]
			}
			if count > 1 {
				from[ax] *= step
			}
		}
		if product(shape) == 0 {
			at = 0
		}
		return []*Tensor{c.part(x, shape, at, from)}
	}
}

// padded returns x between pads, before and after on each axis, of a value; negative ones
// take away.
func (c *call) padded(x *Tensor, before, after []int, value *Tensor) *Tensor {
	shape, from, to := slices.Clone(x.Shape), 0, 0
	inner := slices.Clone(x.Shape)
	xs := x.strides()
	for i := range shape {
		lo, hi := before[i], after[i]
		if lo < -1<<40 || hi < -1<<40 || lo > 1<<40 || hi > 1<<40 {
			failf("pads %v and %v", before, after)
		}
		shape[i] += lo + hi
		inner[i] += min(lo, 0) + min(hi, 0)
		if shape[i] < 0 {
			failf("pads %v and %v of shape %v", before, after, x.Shape)
		}
		inner[i] = max(inner[i], 0)
	}
	y := c.new(x.Type(), shape)
	y.channelsLast = x.channelsLast
	ys := y.strides()
	for i := range shape {
		from += max(-before[i], 0) * xs[i]
		to += max(before[i], 0) * ys[i]
	}
	fill(y, value)
	if product(inner) > 0 {
		copyOrdered(c.threads, storage(len(shape), x.channelsLast), inner, y.Data, to, ys, x.Data, from, xs)
	}
	return y
}

// zeroOf returns a tensor of one element, zero.
func zeroOf(typ Type) *Tensor {
	return map[Type]*Tensor{
		Float32: {Shape: []int{1}, Data: []float32{0}}, Int64: {Shape: []int{1}, Data: []int64{0}},
		Int32: {Shape: []int{1}, Data: []int32{0}}, Bool: {Shape: []int{1}, Data: []bool{false}},
		Uint8: {Shape: []int{1}, Data: []uint8{0}}, Int8: {Shape: []int{1}, Data: []int8{0}},
	}[typ]
}

// buildPad returns the kernel of Pad, whose pads and value are attributes at first.
func buildPad(a *attributes) kernel {
	mode := a.choice("mode", "constant", "reflect", "edge", "wrap")
	old := a.version < 11
	var pads []int
	var constant float32
	if old {
		pads, constant = a.ints("pads"), a.float("value", 0)
	}
	return func(c *call) []*Tensor {
		x := c.tensor(0)
		pads, value := pads, zeroOf(x.Type())
		rank := len(x.Shape)
		var along []int
		for i := range rank {
			along = append(along, i)
		}
		if old {
			if x.Type() == Float32 {
				value = NewTensor([]float32{constant}, 1)
			}
		} else {
			pads = c.ints(1)
			if c.has(2) && c.in[2].Len() > 0 {
				if value = c.in[2]; value.Len() != 1 || value.Type() != x.Type() {
					failf("input 2 (%s) is not one %v", c.node.Inputs[2], x.Type())
				}
			}
			if c.has(3) {
				along = axes(c.ints(3), rank)
			}
		}
		if len(pads) != 2*len(along) {
			failf("%d pads for %d axes", len(pads), len(along))
		}
		before, after := make([]int, rank), make([]int, rank)
		for i, ax := range along {
			before[ax], after[ax] = pads[i], pads[len(along)+i]
		}
		if mode == "constant" {
			return []*Tensor{c.padded(x, before, after, value)}
		}
		y := x
		for ax := range rank {
			if before[ax] == 0 && after[ax] == 0 {
				continue
			}
			n := y.Shape[ax]
			if size := n + before[ax] + after[ax]; size < 0 || size > 1<<40 || size > 0 && n == 0 {
				failf("pads %v of shape %v", pads, x.Shape)
			}
			index := make([]int, n+before[ax]+after[ax])
			for i := range index {
				index[i] = padIndex(mode, i-before[ax], n)
			}
			y = c.picked(y, ax, index)
		}
		if y == x {
			y = c.same()
		}
		return []*Tensor{y}
	}
}

// padIndex returns the element of n that lies at position i, which may be outside.
func padIndex(mode string, i, n int) int {
	switch mode {
	case "edge":
		return min(max(i, 0), n-1)
	case "wrap":
		return (i%n + n) % n
	}
	if n == 1 {
		return 0
	}
	period := 2 * (n - 1)
	i = (i%period + period) % period
	return min(i, period-i)
}

// picked returns the elements of x at the given indices of an axis.
func (c *call) picked(x *Tensor, along int, index []int) *Tensor {
	shape := slices.Clone(x.Shape)
	shape[along] = len(index)
	y := c.new(x.Type(), shape)
	y.channelsLast = x.channelsLast
	one := slices.Clone(shape)
	one[along] = 1
	order, xs, ys := storage(len(shape), x.channelsLast), x.strides(), y.strides()
	if product(one) == 0 {
		return y
	}
	if inner := product(x.Shape[along+1:]); !x.channelsLast {
		offsets := make([]int, 0, len(index)*product(x.Shape[:along]))
		for o := range product(x.Shape[:along]) {
			for _, i := range index {
				offsets = append(offsets, (o*x.Shape[along]+i)*inner)
			}
		}
		take(y.Data, x.Data, offsets, inner)
		return y
	}
	for to, i := range index {
		copyOrdered(1, order, one, y.Data, to*ys[along], ys, x.Data, i*xs[along], xs)
	}
	return y
}

// expanded returns x broadcast to a shape.
func (c *call) expanded(x *Tensor, shape []int) *Tensor {
	y := c.new(x.Type(), shape)
	copyStrided(c.threads, shape, y.Data, 0, strides(shape), x.Data, 0, x.stridesOver(shape))
	return y
}

func buildExpand(*attributes) kernel {
	return func(c *call) []*Tensor {
		want := c.ints(1)
		if _, ok := elements(want); !ok {
			failf("shape %v is out of range", want)
		}
		return []*Tensor{c.expanded(c.tensor(0), broadcast(c.tensor(0).Shape, want))}
	}
}

// buildTile returns the kernel of Tile: with each axis taken for two, of which the first
// is of size 1, it is an expansion.
func buildTile(*attributes) kernel {
	return func(c *call) []*Tensor {
		x, repeats := c.tensor(0), c.ints(1)
		if len(repeats) != len(x.Shape) {
			failf("%d repeats of %d axes", len(repeats), len(x.Shape))
		}
		var before, after, shape []int
		for i, r := range repeats {
			if r < 0 || r > 1<<40 {
				failf("repeats %v", repeats)
			}
			before, after = append(before, 1, x.Shape[i]), append(after, r, x.Shape[i])
			n, ok := elements([]int{r, x.Shape[i]})
			if !ok {
				failf("repeats %v of shape %v", repeats, x.Shape)
			}
			shape = append(shape, n)
		}
		return []*Tensor{c.reshaped(c.expanded(&Tensor{Shape: before, Data: x.Data}, after), shape)}
	}
}

// buildTrilu returns the kernel of Trilu.
func buildTrilu(a *attributes) kernel {
	upper := a.bool("upper", true)
	return func(c *call) []*Tensor {
		x, k := c.rank(0, 2), 0
		if c.has(1) {
			k = c.integer(1)
		}
		y := c.new(x.Type(), x.Shape)
		fill(y, zeroOf(x.Type()))
		rows, cols := x.Shape[len(x.Shape)-2], x.Shape[len(x.Shape)-1]
		for i := 0; cols > 0 && i < y.Len()/cols; i++ {
			at, cut := i*cols, i%rows+min(max(k, -rows-cols), rows+cols) // the first column of the upper part
			lo, hi := min(max(cut, 0), cols), cols
			if !upper {
				lo, hi = 0, min(max(cut+1, 0), cols)
			}
			if lo < hi {
				copyStrided(1, []int{hi - lo}, y.Data, at+lo, []int{1}, x.Data, at+lo, []int{1})
			}
		}
		return []*Tensor{y}
	}
}
