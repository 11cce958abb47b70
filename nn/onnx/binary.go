package onnx

import (
	"math"
	"slices"
)

// pairs is how two arrays are combined elementwise: runs of n elements, one apart in the
// result, sa and sb apart (0 or more) in the operands.
type pairs[T, R any] func(y []R, a []T, sa int, b []T, sb int)

// combined computes f of inputs a and b, which broadcast.
func combined[T, R any](c *call, a, b *Tensor, y *Tensor, f pairs[T, R]) {
	x, z, out := a.Data.([]T), b.Data.([]T), y.Data.([]R)
	l := newLoops(y.Shape, storage(len(y.Shape), y.channelsLast), y.strides(), a.stridesOver(y.Shape), b.stridesOver(y.Shape))
	last := len(l.dims) - 1
	sa, sb := l.strides[1][last], l.strides[2][last]
	l.rows(c.threads, func(at []int, n int) {
		f(out[at[0]:][:n], x[at[1]:], sa, z[at[2]:], sb)
	})
}

// operand returns input i; below version 7 the axes of the second operand begin at the
// attribute axis of the first, if broadcast is given.
func (o legacy) operand(c *call, i int) *Tensor {
	t := c.tensor(i)
	if i == 0 || !o.aligned || len(t.Shape) == 0 {
		return t
	}
	first := len(c.in[0].Shape)
	if tail := first - axis(o.axis, first) - len(t.Shape); tail > 0 {
		return &Tensor{Shape: slices.Concat(t.Shape, slices.Repeat([]int{1}, tail)), Data: t.Data}
	}
	return t
}

// legacy is the broadcasting of versions before 7.
type legacy struct {
	aligned bool
	axis    int
}

func newLegacy(a *attributes) (o legacy) {
	if a.version < 7 {
		a.ignore("broadcast", "consumed_inputs")
		o.aligned = a.has("axis")
		o.axis = a.int("axis", 0)
	}
	return o
}

// shaped returns the tensor of the result of combining tensors, in the memory of one
// that is not needed any more if it can.
func (c *call) shaped(typ Type, in ...*Tensor) *Tensor {
	shapes := make([][]int, len(in))
	last := false
	for i, t := range in {
		shapes[i] = t.Shape
	}
	shape := broadcast(shapes...)
	for _, t := range in {
		last = last || t.channelsLast && len(t.Shape) == len(shape) && t.Len() > 1
	}
	if typ == Float32 {
		for i, t := range in {
			if slices.Equal(t.Shape, shape) && t.channelsLast == last && t.Type() == Float32 && i < len(c.in) && c.in[i] == t {
				y, _ := c.over(i)
				return y
			}
		}
	}
	y := c.new(typ, shape)
	y.channelsLast = last
	return y
}

// combination is an operator of two operands of one type, by that type.
type combination struct {
	result Type // 0: that of the operands
	of     map[Type]func(c *call, a, b, y *Tensor)
}

// combining is combined of a function.
func combining[T, R any](f pairs[T, R]) func(c *call, a, b, y *Tensor) {
	return func(c *call, a, b, y *Tensor) { combined(c, a, b, y, f) }
}

// compute combines a and b.
func (o combination) compute(c *call, a, b *Tensor) *Tensor {
	if a.Type() != b.Type() {
		failf("operands are %v and %v", a.Type(), b.Type())
	}
	combine, ok := o.of[a.Type()]
	if !ok {
		failf("operands are %v, not numbers", a.Type())
	}
	result := o.result
	if result == 0 {
		result = a.Type()
	}
	y := c.shaped(result, a, b)
	combine(c, a, b, y)
	return y
}

// dyadic is an operator of two operands.
func dyadic(o combination) *operator {
	return &operator{min: 2, max: 2, outputs: 1, channelsLast: true, fresh: true, build: func(a *attributes) kernel {
		old := newLegacy(a)
		return func(c *call) []*Tensor {
			return []*Tensor{o.compute(c, old.operand(c, 0), old.operand(c, 1))}
		}
	}}
}

// variadic is an operator of any number of operands, combined in order; mean divides by
// their number.
func variadic(o combination, mean bool) *operator {
	return &operator{min: 1, max: -1, outputs: 1, channelsLast: true, build: func(a *attributes) kernel {
		a.ignore("consumed_inputs")
		return func(c *call) []*Tensor {
			y := c.tensor(0)
			for i := 1; i < len(c.in); i++ {
				y = o.compute(c, y, c.tensor(i))
			}
			if mean {
				n := float32(len(c.in))
				t := c.new(Float32, y.Shape)
				t.channelsLast = y.channelsLast
				for i, v := range y.Data.([]float32) {
					t.Data.([]float32)[i] = v / n
				}
				y = t
			}
			return []*Tensor{y}
		}
	}}
}

// pairwise makes pairs of a function of two elements.
func pairwise[T, R any](f func(a, b T) R) pairs[T, R] {
	return func(y []R, a []T, sa int, b []T, sb int) {
		i, j := 0, 0
		for k := range y {
			y[k] = f(a[i], b[j])
			i += sa
			j += sb
		}
	}
}

type integer interface{ int64 | int32 | uint8 | int8 }

// numerics makes an operator of functions for floats, which may be missing, and integers.
func numerics(f pairs[float32, float32], i64 func(a, b int64) int64, i32 func(a, b int32) int32, u8 func(a, b uint8) uint8, i8 func(a, b int8) int8) combination {
	o := combination{of: map[Type]func(c *call, a, b, y *Tensor){
		Int64: combining(pairwise(i64)), Int32: combining(pairwise(i32)), Uint8: combining(pairwise(u8)), Int8: combining(pairwise(i8)),
	}}
	if f != nil {
		o.of[Float32] = combining(f)
	}
	return o
}

// comparison makes an operator of functions whose result is bool.
func comparison(f func(a, b float32) bool, i64 func(a, b int64) bool, i32 func(a, b int32) bool, u8 func(a, b uint8) bool, i8 func(a, b int8) bool) combination {
	return combination{Bool, map[Type]func(c *call, a, b, y *Tensor){
		Float32: combining(pairwise(f)), Int64: combining(pairwise(i64)), Int32: combining(pairwise(i32)), Uint8: combining(pairwise(u8)), Int8: combining(pairwise(i8)),
	}}
}

func add[T number](a, b T) T { return a + b }
func sub[T number](a, b T) T { return a - b }
func mul[T number](a, b T) T { return a * b }

func quotient[T integer](a, b T) T {
	if b == 0 {
		return 0 // undefined in ONNX
	}
	return a / b
}

// minimum and maximum return NaN where an operand is NaN.
func minimum[T number](a, b T) T { return min(a, b) }
func maximum[T number](a, b T) T { return max(a, b) }

// modulo has the sign of the divisor.
func modulo[T integer](a, b T) T {
	if b == 0 {
		return 0
	}
	r := a % b
	if r != 0 && r < 0 != (b < 0) {
		r += b
	}
	return r
}

// remainder has the sign of the dividend.
func remainder[T integer](a, b T) T {
	if b == 0 {
		return 0
	}
	return a % b
}

func power[T integer](a, b T) T { return T(pow(float64(a), float64(b))) }

// addFloats and its like are loops without calls for the usual strides.
func addFloats(y, a []float32, sa int, b []float32, sb int) {
	switch n := len(y); {
	case sa == 1 && sb == 1:
		a, b = a[:n], b[:n]
		for i := range y {
			y[i] = a[i] + b[i]
		}
	case sa == 1 && sb == 0:
		a, v := a[:n], b[0]
		for i := range y {
			y[i] = a[i] + v
		}
	case sa == 0 && sb == 1:
		addFloats(y, b, 1, a, 0)
	default:
		pairwise(add[float32])(y, a, sa, b, sb)
	}
}

func subFloats(y, a []float32, sa int, b []float32, sb int) {
	switch n := len(y); {
	case sa == 1 && sb == 1:
		a, b = a[:n], b[:n]
		for i := range y {
			y[i] = a[i] - b[i]
		}
	case sa == 1 && sb == 0:
		a, v := a[:n], b[0]
		for i := range y {
			y[i] = a[i] - v
		}
	default:
		pairwise(sub[float32])(y, a, sa, b, sb)
	}
}

func mulFloats(y, a []float32, sa int, b []float32, sb int) {
	switch n := len(y); {
	case sa == 1 && sb == 1:
		a, b = a[:n], b[:n]
		for i := range y {
			y[i] = a[i] * b[i]
		}
	case sa == 1 && sb == 0:
		a, v := a[:n], b[0]
		for i := range y {
			y[i] = a[i] * v
		}
	case sa == 0 && sb == 1:
		mulFloats(y, b, 1, a, 0)
	default:
		pairwise(mul[float32])(y, a, sa, b, sb)
	}
}

func divFloats(y, a []float32, sa int, b []float32, sb int) {
	switch n := len(y); {
	case sa == 1 && sb == 1:
		a, b = a[:n], b[:n]
		for i := range y {
			y[i] = a[i] / b[i]
		}
	case sa == 1 && sb == 0:
		a, v := a[:n], b[0]
		for i := range y {
			y[i] = a[i] / v
		}
	default:
		pairwise(func(a, b float32) float32 { return a / b })(y, a, sa, b, sb)
	}
}

var (
	addition       = numerics(addFloats, add[int64], add[int32], add[uint8], add[int8])
	subtraction    = numerics(subFloats, sub[int64], sub[int32], sub[uint8], sub[int8])
	multiplication = numerics(mulFloats, mul[int64], mul[int32], mul[uint8], mul[int8])
	division       = numerics(divFloats, quotient[int64], quotient[int32], quotient[uint8], quotient[int8])
	minima         = numerics(pairwise(minimum[float32]), minimum[int64], minimum[int32], minimum[uint8], minimum[int8])
	maxima         = numerics(pairwise(maximum[float32]), maximum[int64], maximum[int32], maximum[uint8], maximum[int8])
	modulos        = numerics(nil, modulo[int64], modulo[int32], modulo[uint8], modulo[int8])
	remainders     = numerics(pairwise(func(a, b float32) float32 { return float32(math.Mod(float64(a), float64(b))) }),
		remainder[int64], remainder[int32], remainder[uint8], remainder[int8])
	powers = numerics(pairwise(func(a, b float32) float32 { return float32(pow(float64(a), float64(b))) }),
		power[int64], power[int32], power[uint8], power[int8])
)

func buildMod(a *attributes) kernel {
	fmod := a.bool("fmod", false)
	return func(c *call) []*Tensor {
		if fmod {
			return []*Tensor{remainders.compute(c, c.tensor(0), c.tensor(1))}
		}
		if c.tensor(0).Type() == Float32 {
			failf("floats need attribute fmod")
		}
		return []*Tensor{modulos.compute(c, c.in[0], c.tensor(1))}
	}
}

// buildPow returns the kernel of Pow, whose exponent may be of another type.
func buildPow(a *attributes) kernel {
	old := newLegacy(a)
	return func(c *call) []*Tensor {
		x, e := old.operand(c, 0), old.operand(c, 1)
		if d, ok := e.Data.([]float32); ok && len(d) == 1 && d[0] == 2 && x.Type() == Float32 && len(e.Shape) <= len(x.Shape) {
			return c.mapped(func(y, x []float32) { mulFloats(y, x, 1, x, 1) })
		}
		if x.Type() == e.Type() {
			return []*Tensor{powers.compute(c, x, e)}
		}
		y := powers.compute(c, cast(c, x, Float32), cast(c, e, Float32))
		return []*Tensor{cast(c, y, x.Type())}
	}
}

func equal[T comparable](a, b T) bool    { return a == b }
func less[T number](a, b T) bool         { return a < b }
func lessEqual[T number](a, b T) bool    { return a <= b }
func greater[T number](a, b T) bool      { return a > b }
func greaterEqual[T number](a, b T) bool { return a >= b }

var (
	equals = func() combination {
		o := comparison(equal[float32], equal[int64], equal[int32], equal[uint8], equal[int8])
		o.of[Bool] = combining(pairwise(equal[bool]))
		return o
	}()
	lesses  = comparison(less[float32], less[int64], less[int32], less[uint8], less[int8])
	atMost  = comparison(lessEqual[float32], lessEqual[int64], lessEqual[int32], lessEqual[uint8], lessEqual[int8])
	greats  = comparison(greater[float32], greater[int64], greater[int32], greater[uint8], greater[int8])
	atLeast = comparison(greaterEqual[float32], greaterEqual[int64], greaterEqual[int32], greaterEqual[uint8], greaterEqual[int8])
)

// logical is an operator of two bools.
func logical(f func(a, b bool) bool) *operator {
	return &operator{min: 2, max: 2, outputs: 1, build: func(a *attributes) kernel {
		old := newLegacy(a)
		return func(c *call) []*Tensor {
			a, b := old.operand(c, 0), old.operand(c, 1)
			if a.Type() != Bool || b.Type() != Bool {
				failf("operands are %v and %v, not bool", a.Type(), b.Type())
			}
			y := c.shaped(Bool, a, b)
			combined(c, a, b, y, pairwise(f))
			return []*Tensor{y}
		}
	}}
}

// buildPRelu returns the kernel of PRelu, whose slope broadcasts.
func buildPRelu(a *attributes) kernel {
	a.ignore("consumed_inputs")
	return func(c *call) []*Tensor {
		x, slope := c.tensor(0), c.tensor(1)
		c.floats(0)
		c.floats(1)
		if a.version < 7 && len(slope.Shape) == 1 && slope.Len() > 1 && len(x.Shape) > 1 { // one for each channel
			slope = &Tensor{Shape: slices.Concat(slope.Shape, slices.Repeat([]int{1}, len(x.Shape)-2)), Data: slope.Data}
		}
		y := c.shaped(Float32, x, slope)
		combined(c, x, slope, y, pairwise(func(x, s float32) float32 {
			if x < 0 {
				return float32(x * s)
			}
			return x
		}))
		return []*Tensor{y}
	}
}

// buildWhere returns the kernel of Where.
func buildWhere(*attributes) kernel {
	return func(c *call) []*Tensor {
		cond, ok := c.tensor(0).Data.([]bool)
		if !ok {
			failf("input 0 is %v, not bool", c.in[0].Type())
		}
		a, b := c.tensor(1), c.tensor(2)
		if a.Type() != b.Type() {
			failf("operands are %v and %v", a.Type(), b.Type())
		}
		y := c.new(a.Type(), broadcast(c.in[0].Shape, a.Shape, b.Shape))
		switch y.Data.(type) {
		case []float32:
			choose[float32](c, cond, a, b, y)
		case []int64:
			choose[int64](c, cond, a, b, y)
		case []int32:
			choose[int32](c, cond, a, b, y)
		case []bool:
			choose[bool](c, cond, a, b, y)
		case []uint8:
			choose[uint8](c, cond, a, b, y)
		case []int8:
			choose[int8](c, cond, a, b, y)
		}
		return []*Tensor{y}
	}
}

func choose[T element](c *call, cond []bool, a, b, y *Tensor) {
	x, z, out := a.Data.([]T), b.Data.([]T), y.Data.([]T)
	l := newLoops(y.Shape, storage(len(y.Shape), false), y.strides(), c.in[0].stridesOver(y.Shape), a.stridesOver(y.Shape), b.stridesOver(y.Shape))
	last := len(l.dims) - 1
	sc, sa, sb := l.strides[1][last], l.strides[2][last], l.strides[3][last]
	l.rows(c.threads, func(at []int, n int) {
		i, j, k := at[1], at[2], at[3]
		for o := range out[at[0]:][:n] {
			if cond[i] {
				out[at[0]+o] = x[j]
			} else {
				out[at[0]+o] = z[k]
			}
			i, j, k = i+sc, j+sa, k+sb
		}
	})
}
