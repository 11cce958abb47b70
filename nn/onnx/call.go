package onnx

import (
	"errors"
	"fmt"
	"runtime"
	"slices"

	"github.com/convergent-go/convergent/internal/par"
)

// kernel computes a node's outputs.
type kernel func(c *call) []*Tensor

// failure is what a kernel, or who reads its attributes, panics with where the model or
// the inputs are at fault; whoever calls them makes an error of it.
type failure struct{ error }

func failf(format string, args ...any) { panic(failure{fmt.Errorf(format, args...)}) }

// caught makes an error of a failure, and of a tensor that is of another type than the kernel
// takes it for.
func caught(err *error) {
	f := recover()
	if f == nil {
		return
	}
	cause, _ := f.(error) // also of a panic on another thread
	var own failure
	var other *runtime.TypeAssertionError
	switch {
	case errors.As(cause, &own):
		*err = own.error
	case errors.As(cause, &other):
		*err = errors.New("an input is of a type that the operator is not computed for")
	default:
		panic(f)
	}
}

// call is one evaluation of a node.
type call struct {
	node    *node
	in      []*Tensor // nil: omitted
	dies    []bool    // inputs that nobody reads after this node
	threads int
	mem     *memory
	step    *step // nil where constants are folded

	others   []*Tensor // the other operands of the step's followers, nil where there is none
	followed int       // followers whose work is done
	result   *Tensor   // what after has made of the output; nil: not asked yet
	made     []*buffer // of all tensors that the call made
}

// evaluate runs the node's kernel.
func (c *call) evaluate() (out []*Tensor, err error) {
	defer caught(&err)
	if !c.node.operator.channelsLast {
		for i, t := range c.in {
			if t != nil && t.channelsLast {
				c.in[i] = c.plain(t)
			}
		}
	}
	out = c.node.kernel(c)
	if c.next() != nil && c.result == nil {
		if done := c.after(out[0]); done != nil {
			c.blocks(out[0].Len(), func(lo, hi int) { done(lo, hi-lo) })
		}
	}
	if c.result != nil {
		out[0] = c.result
	}
	for _, b := range c.made {
		if b.refs == 0 && !slices.ContainsFunc(out, func(t *Tensor) bool { return t != nil && t.buf == b }) {
			c.mem.release(b)
		}
	}
	return out, nil
}

// has reports whether input i is there.
func (c *call) has(i int) bool { return i < len(c.in) && c.in[i] != nil }

// tensor returns input i, which must be there.
func (c *call) tensor(i int) *Tensor {
	if !c.has(i) {
		failf("input %d is missing", i)
	}
	return c.in[i]
}

// floats returns the elements of input i, which must be float32.
func (c *call) floats(i int) []float32 {
	d, ok := c.tensor(i).Data.([]float32)
	if !ok {
		failf("input %d (%s) is %s, not float32", i, c.node.Inputs[i], c.in[i].Type())
	}
	return d
}

// rank returns input i, whose rank must be at least so much.
func (c *call) rank(i, least int) *Tensor {
	t := c.tensor(i)
	if len(t.Shape) < least {
		failf("input %d (%s) has shape %v, of less than %d axes", i, c.node.Inputs[i], t.Shape, least)
	}
	return t
}

// vector returns the elements of input i, which must be n floats, or nil if it is omitted.
func (c *call) vector(i, n int) []float32 {
	if !c.has(i) {
		return nil
	}
	d := c.floats(i)
	if len(d) != n {
		failf("input %d (%s) has %d elements, not %d", i, c.node.Inputs[i], len(d), n)
	}
	return d
}

// ints returns the elements of input i, which must be integers.
func (c *call) ints(i int) []int {
	t := c.tensor(i)
	d := t.integers()
	if d == nil && t.Len() > 0 || t.Type() == Float32 || t.Type() == Bool {
		failf("input %d (%s) is %s, not integers", i, c.node.Inputs[i], t.Type())
	}
	out := make([]int, len(d))
	for j, v := range d {
		out[j] = int(v)
	}
	return out
}

// integer returns the only element of input i, which must be an integer.
func (c *call) integer(i int) int {
	v := c.ints(i)
	if len(v) != 1 {
		failf("input %d (%s) is not one integer", i, c.node.Inputs[i])
	}
	return v[0]
}

// new returns a tensor; floats have any content, all else is zero.
func (c *call) new(typ Type, shape []int) *Tensor {
	n, ok := elements(shape)
	if !ok {
		failf("the result's shape %v is out of range", shape)
	}
	if bytes := int64(n) * typ.size(); !c.mem.reserve(bytes) {
		failf("the result, %s of shape %v, takes %d bytes, with which the live tensors would %w of %d", typ, shape, bytes, ErrMemory, c.mem.limit)
	}
	t := &Tensor{Shape: slices.Clone(shape)}
	if typ == Float32 {
		t.buf = c.mem.floats(n)
		t.Data = t.buf.data
		c.made = append(c.made, t.buf)
		return t
	}
	t.buf = &buffer{bytes: int64(n) * typ.size()}
	c.made = append(c.made, t.buf)
	switch typ {
	case Int64:
		t.Data = make([]int64, n)
	case Int32:
		t.Data = make([]int32, n)
	case Bool:
		t.Data = make([]bool, n)
	case Uint8:
		t.Data = make([]uint8, n)
	case Int8:
		t.Data = make([]int8, n)
	}
	return t
}

// newFloats returns a tensor of floats with any content.
func (c *call) newFloats(shape []int) (*Tensor, []float32) {
	t := c.new(Float32, shape)
	return t, t.Data.([]float32)
}

// scratch returns n floats of any content for the time of the call, to be given to
// release.
func (c *call) scratch(n int) *buffer {
	if !c.mem.reserve(4 * int64(n)) {
		failf("%d bytes of temporary memory would %w of %d", 4*int64(n), ErrMemory, c.mem.limit)
	}
	return c.mem.floats(n)
}

// over returns a tensor of the shape and layout of input i, for floats, in its memory
// if nobody else reads that.
func (c *call) over(i int) (*Tensor, []float32) {
	x := c.in[i]
	if x.buf != nil && x.buf.refs == 1 && i < len(c.dies) && c.dies[i] {
		return &Tensor{Shape: x.Shape, Data: x.Data, buf: x.buf, channelsLast: x.channelsLast}, x.Data.([]float32)
	}
	t, d := c.newFloats(x.Shape)
	t.channelsLast = x.channelsLast
	return t, d
}

// reshaped returns x with another shape of as many elements, in the same memory.
func (c *call) reshaped(x *Tensor, shape []int) *Tensor {
	return &Tensor{Shape: shape, Data: x.Data, buf: x.buf}
}

// blockLen is how many elements of elementwise work a thread does at a time.
const blockLen = 1 << 13

// blocks divides elementwise work among threads.
func (c *call) blocks(n int, f func(lo, hi int)) { par.Blocks(c.threads, n, blockLen, f) }

// axis returns an axis of a tensor of the given rank, counted from the end if negative.
func axis(a, rank int) int {
	if a < -rank || a >= rank {
		failf("axis %d of a tensor of %d axes", a, rank)
	}
	if a < 0 {
		a += rank
	}
	return a
}

// axes returns distinct axes.
func axes(list []int, rank int) []int {
	out := make([]int, len(list))
	for i, a := range list {
		out[i] = axis(a, rank)
		if slices.Contains(out[:i], out[i]) {
			failf("axis %d is listed twice in %v", a, list)
		}
	}
	return out
}
