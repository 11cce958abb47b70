package onnx

import (
	"math"
	"slices"

	"github.com/convergent-go/convergent/internal/elem"
	"github.com/convergent-go/convergent/internal/par"
)

// reduction is a sum, or the like, in float64 over elements in order.
type reduction struct {
	begin  float64
	step   func(sum, x float64) float64
	finish func(sum float64, n int) float64 // nil: the sum itself
	ints   bool                             // integers have it, and bools
}

// reducer is an operator that reduces axes, which are inputs from a version on.
func reducer(r reduction, inputFrom int) *operator {
	return &operator{min: 1, max: 2, outputs: 1, channelsLast: true, build: func(a *attributes) kernel {
		list, keep := a.ints("axes"), a.bool("keepdims", true)
		none := a.bool("noop_with_empty_axes", false)
		if a.version >= inputFrom && a.has("axes") {
			failf("attribute axes is an input from version %d on", inputFrom)
		}
		return func(c *call) []*Tensor {
			list := list
			if c.has(1) {
				list = c.ints(1)
			}
			x := c.tensor(0)
			over := axes(list, len(x.Shape))
			if len(over) == 0 {
				if none {
					return []*Tensor{c.same()}
				}
				for i := range x.Shape {
					over = append(over, i)
				}
			}
			return []*Tensor{c.reduced(r, x, over, keep)}
		}
	}}
}

// reduced reduces x over axes.
func (c *call) reduced(r reduction, x *Tensor, over []int, keep bool) *Tensor {
	if x.Type() == Bool {
		return cast(c, c.reduced(r, cast(c, x, Uint8), over, keep), Bool)
	}
	if x.Type() != Float32 && !r.ints {
		failf("input 0 is %v, not float32", x.Type())
	}
	var kept, gone []int // axes, in the order in memory
	for _, a := range storage(len(x.Shape), x.channelsLast) {
		if slices.Contains(over, a) {
			gone = append(gone, a)
		} else {
			kept = append(kept, a)
		}
	}
	shape := slices.Clone(x.Shape)
	var rest []int
	for i := range shape {
		if slices.Contains(over, i) {
			shape[i] = 1
		} else {
			rest = append(rest, x.Shape[i])
		}
	}
	y := c.new(x.Type(), shape)
	switch d := x.Data.(type) {
	case []float32:
		reduceTo(c, r, y, x, kept, gone, d)
	case []int64:
		reduceInts(r, y, x, gone, d)
	case []int32:
		reduceInts(r, y, x, gone, d)
	case []uint8:
		reduceInts(r, y, x, gone, d)
	case []int8:
		reduceInts(r, y, x, gone, d)
	}
	if !keep {
		return c.reshaped(y, rest)
	}
	return y
}

// reduceTo reduces floats. Rows along the last axis in memory are taken whole, whether
// that axis is kept or not.
func reduceTo(c *call, r reduction, y, x *Tensor, kept, gone []int, d []float32) {
	out := y.Data.([]float32)
	xs, ys := x.strides(), strides(y.Shape)
	n := 1
	for _, a := range gone {
		n *= x.Shape[a]
	}
	// The kept axes as loops over both tensors; the axes that go as loops over x.
	outer := newLoops(x.Shape, kept, ys, xs)
	inner := newLoops(x.Shape, gone, xs)
	finish := func(s float64) float32 {
		if r.finish != nil {
			s = r.finish(s, n)
		}
		return float32(s)
	}
	if n == 0 {
		for i := range out {
			out[i] = finish(r.begin)
		}
		return
	}
	last := len(outer.dims) - 1
	lastIn := len(inner.dims) - 1
	width, count, run := outer.dims[last], product(outer.dims[:last]), inner.dims[lastIn]
	if width == 0 || count == 0 {
		return
	}
	block := max(1, blockLen/max(1, n))
	if outer.strides[1][last] == 1 && width > 1 {
		block = max(block, 16)
	}
	parts := (width + block - 1) / block
	par.For(c.threads, count*parts, func(task int) {
		row, from := task/parts, task%parts*block
		to := min(width, from+block)
		at, dst := from*outer.strides[1][last], from*outer.strides[0][last]
		for a := last - 1; a >= 0; a-- {
			index := row % outer.dims[a]
			row /= outer.dims[a]
			at += index * outer.strides[1][a]
			dst += index * outer.strides[0][a]
		}
		sums := make([]float64, to-from)
		for i := range sums {
			sums[i] = r.begin
		}
		index := make([]int, lastIn+1)
		for {
			base := at
			for a := range lastIn {
				base += index[a] * inner.strides[0][a]
			}
			step := inner.strides[0][lastIn]
			if s := outer.strides[1][last]; s < step {
				for k := range run {
					for i := range sums {
						sums[i] = r.step(sums[i], float64(d[base+k*step+i*s]))
					}
				}
			} else {
				for i := range sums {
					sum := sums[i]
					for k, p := 0, base+i*s; k < run; k, p = k+1, p+step {
						sum = r.step(sum, float64(d[p]))
					}
					sums[i] = sum
				}
			}
			a := lastIn - 1
			for ; a >= 0; a-- {
				if index[a]++; index[a] < inner.dims[a] {
					break
				}
				index[a] = 0
			}
			if a < 0 {
				break
			}
		}
		for i, s := range sums {
			out[dst+i*outer.strides[0][last]] = finish(s)
		}
	})
}

// reduceInts reduces integers; sums of more than 53 bits are not exact.
func reduceInts[T integer](r reduction, y, x *Tensor, gone []int, d []T) {
	out := y.Data.([]T)
	sums := make([]float64, len(out))
	for i := range sums {
		sums[i] = r.begin
	}
	ys := strides(y.Shape)
	for _, a := range gone {
		ys[a] = 0
	}
	n := 1
	for _, a := range gone {
		n *= x.Shape[a]
	}
	newLoops(x.Shape, storage(len(x.Shape), false), ys, x.strides()).each(func(i, j int) {
		sums[i] = r.step(sums[i], float64(d[j]))
	})
	for i, s := range sums {
		if r.finish != nil {
			s = r.finish(s, n)
		}
		out[i] = saturated[T](s)
	}
}

// saturated converts to an integer type, and to its bounds what lies beyond.
func saturated[T integer](s float64) T {
	lo, hi := math.MinInt64, math.MaxInt64
	switch any(T(0)).(type) {
	case int64:
		if s >= 1<<63 {
			return T(hi)
		} else if s <= -1<<63 {
			return T(lo)
		}
		return T(s)
	case int32:
		lo, hi = math.MinInt32, math.MaxInt32
	case uint8:
		lo, hi = 0, math.MaxUint8
	case int8:
		lo, hi = math.MinInt8, math.MaxInt8
	}
	return T(int64(min(max(s, float64(lo)), float64(hi))))
}

// each calls f for each element with where it lies in two arrays, in order.
func (l loops) each(f func(i, j int)) {
	last := len(l.dims) - 1
	l.rows(1, func(at []int, n int) {
		i, j := at[0], at[1]
		for range n {
			f(i, j)
			i += l.strides[0][last]
			j += l.strides[1][last]
		}
	})
}

func total(s, x float64) float64        { return s + x }
func squares(s, x float64) float64      { return s + float64(x*x) }
func magnitudes(s, x float64) float64   { return s + math.Abs(x) }
func exponentials(s, x float64) float64 { return s + elem.Exp(x) }

var (
	sumOf      = reduction{0, total, nil, true}
	meanOf     = reduction{0, total, func(s float64, n int) float64 { return s / float64(n) }, true}
	maxOf      = reduction{math.Inf(-1), func(s, x float64) float64 { return max(s, x) }, nil, true}
	minOf      = reduction{math.Inf(1), func(s, x float64) float64 { return min(s, x) }, nil, true}
	prodOf     = reduction{1, func(s, x float64) float64 { return float64(s * x) }, nil, true}
	l1Of       = reduction{0, magnitudes, nil, true}
	l2Of       = reduction{0, squares, func(s float64, n int) float64 { return math.Sqrt(s) }, true}
	squaresOf  = reduction{0, squares, nil, true}
	logSumOf   = reduction{0, total, func(s float64, n int) float64 { return elem.Log(s) }, false}
	logSumExps = reduction{0, exponentials, func(s float64, n int) float64 { return elem.Log(s) }, false}
)

// extremal is ArgMax, or ArgMin.
func extremal(better func(a, b float64) bool) *operator {
	return &operator{min: 1, max: 1, outputs: 1, build: func(a *attributes) kernel {
		along, keep, last := a.int("axis", 0), a.bool("keepdims", true), a.bool("select_last_index", false)
		return func(c *call) []*Tensor {
			x := c.rank(0, 1)
			along := axis(along, len(x.Shape))
			n := x.Shape[along]
			shape := slices.Clone(x.Shape)
			shape[along] = 1
			y := c.new(Int64, shape)
			out := y.Data.([]int64)
			if n == 0 && len(out) > 0 {
				failf("axis %d of shape %v is empty", along, x.Shape)
			}
			inner := product(x.Shape[along+1:])
			value := x.values()
			if value == nil && len(out) > 0 {
				failf("input 0 is %v, not numbers", x.Type())
			}
			for i := range out {
				at := i/max(1, inner)*n*inner + i%max(1, inner)
				best := 0
				for k := 1; k < n; k++ {
					v, b := value(at+k*inner), value(at+best*inner)
					if better(v, b) || last && v == b {
						best = k
					}
				}
				out[i] = int64(best)
			}
			if !keep {
				return []*Tensor{c.reshaped(y, slices.Delete(shape, along, along+1))}
			}
			return []*Tensor{y}
		}
	}}
}

// buildCumSum returns the kernel of CumSum.
func buildCumSum(a *attributes) kernel {
	exclusive, reverse := a.bool("exclusive", false), a.bool("reverse", false)
	return func(c *call) []*Tensor {
		x, where := c.rank(0, 1), c.ints(1)
		if len(where) != 1 {
			failf("input 1 (%s) is not one axis", c.node.Inputs[1])
		}
		along := axis(where[0], len(x.Shape))
		n, inner := x.Shape[along], product(x.Shape[along+1:])
		y := c.new(x.Type(), x.Shape)
		switch d := x.Data.(type) {
		case []float32:
			cumulate(y.Data.([]float32), d, n, inner, exclusive, reverse)
		case []int64:
			cumulate(y.Data.([]int64), d, n, inner, exclusive, reverse)
		case []int32:
			cumulate(y.Data.([]int32), d, n, inner, exclusive, reverse)
		default:
			failf("input 0 is %v", x.Type())
		}
		return []*Tensor{y}
	}
}

func cumulate[T number](y, x []T, n, inner int, exclusive, reverse bool) {
	if len(x) == 0 {
		return
	}
	for i := range len(x) / n {
		at, step := i/inner*n*inner+i%inner, inner
		if reverse {
			at, step = at+(n-1)*inner, -inner
		}
		var sum T
		for range n {
			v := x[at]
			if exclusive {
				y[at] = sum
			}
			sum += v
			if !exclusive {
				y[at] = sum
			}
			at += step
		}
	}
}
