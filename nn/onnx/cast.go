package onnx

import "math"

// castTo is a type of onnx.proto to which elements are converted.
type castTo struct {
	typ   Type
	round func(x float32) float32 // to fewer digits; nil: not
}

func newCastTo(dataType int) castTo {
	t, err := elementType(int64(dataType))
	if err != nil {
		failf("attribute to: %v", err)
	}
	o := castTo{typ: t}
	switch dataType {
	case 10:
		o.round = roundFloat16
	case 16:
		o.round = roundBfloat16
	}
	return o
}

func buildCast(a *attributes) kernel {
	a.ignore("saturate")
	to := newCastTo(a.int("to", 0))
	return func(c *call) []*Tensor { return []*Tensor{to.cast(c, c.tensor(0))} }
}

func buildCastLike(a *attributes) kernel {
	a.ignore("saturate")
	return func(c *call) []*Tensor { return []*Tensor{cast(c, c.tensor(0), c.tensor(1).Type())} }
}

func (o castTo) cast(c *call, x *Tensor) *Tensor {
	y := cast(c, x, o.typ)
	if o.round == nil {
		return y
	}
	t, d := c.newFloats(y.Shape)
	t.channelsLast = y.channelsLast
	for i, v := range y.Data.([]float32) {
		d[i] = o.round(v)
	}
	return t
}

// cast returns x with elements of another type: floats are cut to integers, and
// saturate; integers wrap; what is not zero is true.
func cast(c *call, x *Tensor, typ Type) *Tensor {
	if x.Type() == typ {
		return &Tensor{Shape: x.Shape, Data: x.Data, buf: x.buf, channelsLast: x.channelsLast}
	}
	y := c.new(typ, x.Shape)
	y.channelsLast = x.channelsLast
	switch d := x.Data.(type) {
	case []float32:
		castFloats(y.Data, d)
	case []int64:
		castInts(y.Data, d)
	case []int32:
		castInts(y.Data, d)
	case []uint8:
		castInts(y.Data, d)
	case []int8:
		castInts(y.Data, d)
	case []bool:
		ints := make([]uint8, len(d))
		for i, v := range d {
			if v {
				ints[i] = 1
			}
		}
		castInts(y.Data, ints)
	}
	return y
}

func castInts[T integer](dst any, x []T) {
	switch y := dst.(type) {
	case []float32:
		castTyped(y, x)
	case []int64:
		castTyped(y, x)
	case []int32:
		castTyped(y, x)
	case []uint8:
		castTyped(y, x)
	case []int8:
		castTyped(y, x)
	case []bool:
		for i, v := range x {
			y[i] = v != 0
		}
	}
}

func castTyped[R number, T integer](y []R, x []T) {
	for i, v := range x {
		y[i] = R(v)
	}
}

func castFloats(dst any, x []float32) {
	switch y := dst.(type) {
	case []int64:
		for i, v := range x {
			y[i] = truncated(v)
		}
	case []int32:
		for i, v := range x {
			y[i] = int32(min(max(truncated(v), math.MinInt32), math.MaxInt32))
		}
	case []uint8:
		for i, v := range x {
			y[i] = uint8(min(max(truncated(v), 0), math.MaxUint8))
		}
	case []int8:
		for i, v := range x {
			y[i] = int8(min(max(truncated(v), math.MinInt8), math.MaxInt8))
		}
	case []bool:
		for i, v := range x {
			y[i] = v != 0
		}
	}
}

// truncated returns the integer part of x; conversions out of range would differ from
// one machine to the next.
func truncated(x float32) int64 {
	switch {
	case x != x:
		return 0
	case x >= 1<<63:
		return math.MaxInt64
	case x <= -1<<63:
		return math.MinInt64
	}
	return int64(x)
}
