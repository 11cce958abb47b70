package onnx

import (
	"fmt"
	"math"
	"slices"
)

// Type is the type of a tensor's elements.
type Type int

// The types of elements. Tensors of float16, bfloat16 and float64 become Float32
// where they are read, and are computed as such.
const (
	Float32 Type = iota + 1
	Int64
	Int32
	Bool
	Uint8
	Int8
)

var typeNames = map[Type]string{Float32: "float32", Int64: "int64", Int32: "int32", Bool: "bool", Uint8: "uint8", Int8: "int8"}

// String returns the name of the type as Go spells it.
func (t Type) String() string {
	if s, ok := typeNames[t]; ok {
		return s
	}
	return fmt.Sprintf("type %d", int(t))
}

// size returns the bytes of an element.
func (t Type) size() int64 {
	switch t {
	case Int64:
		return 8
	case Float32, Int32:
		return 4
	}
	return 1
}

// Tensor is an array in row-major order.
type Tensor struct {
	Shape []int // empty for a scalar
	Data  any   // []float32, []int64, []int32, []bool, []uint8 or []int8

	// channelsLast says that Data is in the order N, spatial axes, C, while Shape is, as
	// ever, N, C, spatial axes. No such tensor leaves the package.
	channelsLast bool
	buf          *buffer // nil where nobody may write
}

// element is what a tensor may hold.
type element interface {
	float32 | int64 | int32 | bool | uint8 | int8
}

// NewTensor returns a tensor of the given shape that holds data, which is one of the
// types of slices that Data may be. It panics if the data does not fit the shape.
func NewTensor(data any, shape ...int) *Tensor {
	t := &Tensor{Shape: slices.Clone(shape), Data: data}
	if err := t.check(); err != nil {
		panic("onnx: data does not fit the shape")
	}
	return t
}

// check says what is wrong with a tensor that somebody else made.
func (t *Tensor) check() error {
	n, ok := elements(t.Shape)
	switch {
	case t.Type() == 0:
		return fmt.Errorf("data of type %T", t.Data)
	case !ok:
		return fmt.Errorf("shape %v is out of range", t.Shape)
	case n != t.Len():
		return fmt.Errorf("shape %v has %d elements, the data %d", t.Shape, n, t.Len())
	}
	return nil
}

// Type returns the type of the elements.
func (t *Tensor) Type() Type {
	switch t.Data.(type) {
	case []float32:
		return Float32
	case []int64:
		return Int64
	case []int32:
		return Int32
	case []bool:
		return Bool
	case []uint8:
		return Uint8
	case []int8:
		return Int8
	}
	return 0
}

// Len returns the number of elements.
func (t *Tensor) Len() int {
	switch d := t.Data.(type) {
	case []float32:
		return len(d)
	case []int64:
		return len(d)
	case []int32:
		return len(d)
	case []bool:
		return len(d)
	case []uint8:
		return len(d)
	case []int8:
		return len(d)
	}
	return 0
}

// elements returns the number of elements of a shape, and false where a size is
// negative, or where the product of those that are not zero is too large by far.
func elements(shape []int) (n int, ok bool) {
	n, some := 1, 1
	for _, d := range shape {
		if d < 0 || d > 0 && some > math.MaxInt/16/d {
			return 0, false
		}
		some *= max(d, 1)
		n *= d
	}
	return n, true
}

// strides returns the distance in elements from an index of each axis to the next.
func strides(shape []int) []int {
	s := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		s[i] = n
		n *= shape[i]
	}
	return s
}

// product returns the number of elements of a shape that is known to be in range.
func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// values returns a function that returns element i of a tensor of numbers; nil of bools.
func (t *Tensor) values() func(i int) float64 {
	if d, ok := t.Data.([]float32); ok {
		return func(i int) float64 { return float64(d[i]) }
	}
	if t.Type() == Bool {
		return nil
	}
	d := t.integers()
	return func(i int) float64 { return float64(d[i]) }
}

// integers returns the elements of a tensor of integers as int64; nil of others.
func (t *Tensor) integers() []int64 {
	switch d := t.Data.(type) {
	case []int64:
		return d
	case []int32:
		return convert[int64](d)
	case []uint8:
		return convert[int64](d)
	case []int8:
		return convert[int64](d)
	}
	return nil
}

// number is an element that is one.
type number interface {
	float32 | int64 | int32 | uint8 | int8
}

// convert converts each element; float32 to integers is only asked for by Cast, which
// see.
func convert[R, T number](x []T) []R {
	y := make([]R, len(x))
	for i, v := range x {
		y[i] = R(v)
	}
	return y
}
