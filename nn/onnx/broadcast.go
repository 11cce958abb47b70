package onnx

import (
	"slices"

	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/internal/vec"
)

// broadcast returns the shape to which shapes broadcast by numpy's rules.
func broadcast(shapes ...[]int) []int {
	var out []int
	for _, s := range shapes {
		if len(s) > len(out) {
			out = append(slices.Repeat([]int{1}, len(s)-len(out)), out...)
		} else {
			out = slices.Clone(out)
		}
		for i, d := range s {
			o := &out[len(out)-len(s)+i]
			switch {
			case *o == 1:
				*o = d
			case d != 1 && d != *o:
				failf("shapes %v do not broadcast", shapes)
			}
		}
	}
	return out
}

// storage returns the order in which the axes of a tensor of some rank lie in memory.
func storage(rank int, channelsLast bool) []int {
	order := make([]int, rank)
	for i := range order {
		order[i] = i
	}
	if channelsLast {
		order = append(append([]int{0}, order[2:]...), 1)
	}
	return order
}

// strides returns the distance in memory from an index of each axis to the next.
func (t *Tensor) strides() []int {
	s := make([]int, len(t.Shape))
	n := 1
	for _, a := range slices.Backward(storage(len(t.Shape), t.channelsLast)) {
		s[a] = n
		n *= t.Shape[a]
	}
	return s
}

// stridesOver returns the strides of t as a tensor of another shape, to which it
// broadcasts: 0 where it has one element for all.
func (t *Tensor) stridesOver(shape []int) []int {
	out := make([]int, len(shape))
	skip := len(shape) - len(t.Shape)
	for i, s := range t.strides() {
		if t.Shape[i] != 1 {
			out[skip+i] = s
		}
	}
	return out
}

// loops are nested loops over arrays, the last the innermost.
type loops struct {
	dims    []int
	strides [][]int // for each array, of each loop
}

// newLoops returns loops over the axes of the shape in the given order, of which those
// that can be one are made one.
func newLoops(shape, order []int, arrays ...[]int) loops {
	l := loops{strides: make([][]int, len(arrays))}
	for _, a := range order {
		if shape[a] == 1 {
			continue
		}
		last := len(l.dims) - 1
		merge := last >= 0
		for i, s := range arrays {
			merge = merge && l.strides[i][last] == s[a]*shape[a]
		}
		if merge {
			l.dims[last] *= shape[a]
			for i, s := range arrays {
				l.strides[i][last] = s[a]
			}
			continue
		}
		l.dims = append(l.dims, shape[a])
		for i, s := range arrays {
			l.strides[i] = append(l.strides[i], s[a])
		}
	}
	if len(l.dims) == 0 {
		l.dims = []int{1}
		for i := range arrays {
			l.strides[i] = []int{0}
		}
	}
	return l
}

// rows calls f for each run of the innermost loop, or parts of it, with where it begins
// in each array and its length; concurrently, on so many threads.
func (l loops) rows(threads int, f func(at []int, n int)) {
	last := len(l.dims) - 1
	inner, outer := l.dims[last], product(l.dims[:last])
	if inner == 0 || outer == 0 {
		return
	}
	parts := (inner + blockLen - 1) / blockLen
	per := max(1, blockLen/inner) // rows that a thread does at a time
	par.Blocks(threads, outer*parts, per, func(lo, hi int) {
		at := make([]int, len(l.strides))
		for r := lo; r < hi; r++ {
			row, part := r/parts, r%parts
			from := part * blockLen
			for i, s := range l.strides {
				at[i] = from * s[last]
			}
			for d := last - 1; d >= 0; d-- {
				index := row % l.dims[d]
				row /= l.dims[d]
				for i, s := range l.strides {
					at[i] += index * s[d]
				}
			}
			f(at, min(blockLen, inner-from))
		}
	})
}

// copyStrided copies elements between arrays of the same type, dst and src of the call's
// two strides over the shape, from the given offsets.
func copyStrided(threads int, shape []int, dst any, dstAt int, dstStrides []int, src any, srcAt int, srcStrides []int) {
	if product(shape) == 0 {
		return
	}
	l := newLoops(shape, storage(len(shape), false), dstStrides, srcStrides)
	switch d := dst.(type) {
	case []float32:
		s := src.([]float32)
		if !transposes(threads, l, d[dstAt:], s, srcAt) {
			copyRows(threads, l, d, dstAt, s, srcAt)
		}
	case []int64:
		copyRows(threads, l, d, dstAt, src.([]int64), srcAt)
	case []int32:
		copyRows(threads, l, d, dstAt, src.([]int32), srcAt)
	case []bool:
		copyRows(threads, l, d, dstAt, src.([]bool), srcAt)
	case []uint8:
		copyRows(threads, l, d, dstAt, src.([]uint8), srcAt)
	case []int8:
		copyRows(threads, l, d, dstAt, src.([]int8), srcAt)
	}
}

func copyRows[T element](threads int, l loops, dst []T, dstAt int, src []T, srcAt int) {
	last := len(l.dims) - 1
	ds, ss := l.strides[0][last], l.strides[1][last]
	l.rows(threads, func(at []int, n int) {
		i, j := dstAt+at[0], srcAt+at[1]
		if ds == 1 && ss == 1 {
			copy(dst[i:i+n], src[j:j+n])
			return
		}
		for range n {
			dst[i] = src[j]
			i += ds
			j += ss
		}
	})
}

// transposes copies if the innermost loop runs over a unit stride of dst and another loop
// over one of src: by transposes of blocks.
func transposes(threads int, l loops, dst, src []float32, srcAt int) bool {
	last := len(l.dims) - 1
	t := slices.Index(l.strides[1], 1) // the loop over columns of src
	if t < 0 || t == last || l.strides[0][last] != 1 || l.strides[1][last] < l.dims[t] || l.strides[0][t] < l.dims[last] {
		return false
	}
	const block = 64
	rows, cols := l.dims[last], l.dims[t]
	stride, ld := l.strides[1][last], l.strides[0][t]
	outer := loops{dims: slices.Clone(l.dims), strides: [][]int{slices.Clone(l.strides[0]), slices.Clone(l.strides[1])}}
	// Loops over blocks take the place of those two.
	outer.dims[t], outer.dims[last] = (cols+block-1)/block, (rows+block-1)/block
	n := product(outer.dims)
	par.Blocks(threads, n, 4, func(lo, hi int) {
		for b := lo; b < hi; b++ {
			rest, to, from := b, 0, srcAt
			var i, j int
			for d := last; d >= 0; d-- {
				index := rest % outer.dims[d]
				rest /= outer.dims[d]
				switch d {
				case t:
					j = index * block
				case last:
					i = index * block
				default:
					to += index * l.strides[0][d]
					from += index * l.strides[1][d]
				}
			}
			vec.Transpose(dst[to+j*ld+i:], ld, src[from+i*stride+j:], stride, min(block, rows-i), min(block, cols-j))
		}
	})
	return true
}

// plain returns t with its axes in their order in memory.
func (c *call) plain(t *Tensor) *Tensor {
	if !t.channelsLast {
		return t
	}
	y := c.new(t.Type(), t.Shape)
	copyStrided(c.threads, t.Shape, y.Data, 0, strides(t.Shape), t.Data, 0, t.strides())
	return y
}

// lastChannels returns t, of at least three axes, with channels the last in memory.
func (c *call) lastChannels(t *Tensor) *Tensor {
	if t.channelsLast {
		return t
	}
	if t.Shape[1] == 1 || product(t.Shape[2:]) == 1 { // the order is the same in both layouts
		return &Tensor{Shape: t.Shape, Data: t.Data, buf: t.buf, channelsLast: true}
	}
	y := c.new(t.Type(), t.Shape)
	y.channelsLast = true
	copyOrdered(c.threads, storage(len(t.Shape), true), t.Shape, y.Data, 0, y.strides(), t.Data, 0, t.strides())
	return y
}
