package onnx

import (
	"slices"

	"github.com/convergent-go/convergent/internal/vec"
)

// relu reports whether a Relu is next to be done with what the node computes, which then is
// the kernel's work.
func (c *call) relu() bool {
	if f := c.next(); f == nil || f.Op != "Relu" {
		return false
	}
	c.followed++
	return true
}

// addend returns the n numbers that are next to be added to each row of what the node
// computes, if there are such, which then is the kernel's work.
func (c *call) addend(n int) []float32 {
	f := c.next()
	if f == nil || f.Op != "Add" || !slices.Equal(c.others[c.followed].Shape, []int{n}) {
		return nil
	}
	d, ok := c.others[c.followed].Data.([]float32)
	if !ok {
		return nil
	}
	c.followed++
	return d
}

// next returns the first follower whose work is yet to be done, nil if there is none.
func (c *call) next() *follower {
	if c.step == nil || c.followed == len(c.step.then) {
		return nil
	}
	return &c.step.then[c.followed]
}

// after returns what is to be done with n elements of y from element at on when they are
// computed: as much of the followers' work as fits the shape of y. It is nil if that is
// nothing. The call's result is then what becomes of y.
func (c *call) after(y *Tensor) func(at, n int) {
	d, ok := y.Data.([]float32)
	if !ok || len(d) == 0 {
		return nil
	}
	view := *y
	c.result = &view
	var work []func(part []float32, at int)
	for f := c.next(); f != nil; f = c.next() {
		var other *Tensor
		if f.other >= 0 {
			other = c.others[c.followed]
		}
		w, ok := f.work(&view, other)
		if !ok {
			break
		}
		if w != nil {
			work = append(work, w)
		}
		c.followed++
	}
	if len(work) == 0 {
		return nil
	}
	return func(at, n int) {
		for end := at + n; at < end; {
			part := d[at:min(end, at+partLen)]
			for _, w := range work {
				w(part, at)
			}
			at += len(part)
		}
	}
}

// partLen is how many elements are taken through all followers at a time: so many stay in the
// first-level cache.
const partLen = 1 << 12

// work returns what a follower does with a part of y from element at on, nil if that is
// nothing, and whether it can be done in place. It changes the shape of y to that of its
// result.
func (f *follower) work(y, other *Tensor) (func(part []float32, at int), bool) {
	channel := storage(len(y.Shape), y.channelsLast)
	if len(channel) == 0 {
		return nil, false
	}
	last := channel[len(channel)-1]
	switch {
	case f.each != nil:
		return func(part []float32, _ int) { f.each(part, part) }, true
	case f.Op == "Transpose":
		return nil, f.transposed(y)
	case f.Op == "BatchNormalization":
		if last != 1 || len(f.affine.scale) != y.Shape[1] {
			return nil, false
		}
		return rowwise(y.Shape[1], func(part []float32, c0, c1 int) {
			vec.Affine(part, part, f.affine.scale[c0:c1], f.affine.shift[c0:c1])
		}), true
	}
	b, ok := other.Data.([]float32)
	if !ok || len(b) == 0 || len(other.Shape) > len(y.Shape) {
		return nil, false
	}
	combine := vec.Add
	if f.Op == "Mul" {
		combine = vec.Multiply
	}
	if slices.Equal(other.Shape, y.Shape) {
		if other.channelsLast != y.channelsLast {
			return nil, false
		}
		return func(part []float32, at int) { combine(part, b[at:][:len(part)]) }, true
	}
	// A vector along the last axis in memory, or one element for all.
	for i, s := range other.Shape {
		if axis := len(y.Shape) - len(other.Shape) + i; s != 1 && (axis != last || s != y.Shape[last]) {
			return nil, false
		}
	}
	if n := y.Shape[last]; len(b) == n {
		return rowwise(n, func(part []float32, c0, c1 int) {
			for ; len(part) > 0; part = part[c1-c0:] {
				combine(part[:c1-c0], b[c0:c1])
			}
		}), true
	}
	v := b[0]
	if f.Op == "Mul" {
		return func(part []float32, _ int) {
			for i := range part {
				part[i] *= v
			}
		}, true
	}
	return func(part []float32, _ int) {
		for i := range part {
			part[i] += v
		}
	}, true
}

// rowwise divides parts of a matrix of n columns into ones that are as wide: rows, or a part
// of one, of columns [c0, c1).
func rowwise(n int, f func(part []float32, c0, c1 int)) func(part []float32, at int) {
	return func(part []float32, at int) {
		for len(part) > 0 {
			c0 := at % n
			c1, size := min(n, c0+len(part)), len(part)/n*n
			if c0 > 0 || size == 0 {
				size = c1 - c0
			}
			f(part[:size], c0, c1)
			part, at = part[size:], at+size
		}
	}
}

// transposed makes of y its transpose, and reports false if that would take moving elements.
func (f *follower) transposed(y *Tensor) bool {
	shape, from := permuted(y, f.perm)
	view, ok := y.viewed(shape, from)
	if ok {
		*y = *view
	}
	return ok
}
