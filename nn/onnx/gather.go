package onnx

import "slices"

// take copies runs of elements: run i of dst is that of src which begins at offsets[i].
func take(dst, src any, offsets []int, run int) {
	switch d := dst.(type) {
	case []float32:
		takeTyped(d, src.([]float32), offsets, run)
	case []int64:
		takeTyped(d, src.([]int64), offsets, run)
	case []int32:
		takeTyped(d, src.([]int32), offsets, run)
	case []bool:
		takeTyped(d, src.([]bool), offsets, run)
	case []uint8:
		takeTyped(d, src.([]uint8), offsets, run)
	case []int8:
		takeTyped(d, src.([]int8), offsets, run)
	}
}

func takeTyped[T element](dst, src []T, offsets []int, run int) {
	if run == 1 {
		for i, o := range offsets {
			dst[i] = src[o]
		}
		return
	}
	for i, o := range offsets {
		copy(dst[i*run:][:run], src[o:])
	}
}

// put is the inverse of take, which combines what is there with what comes.
func put(dst, src any, offsets []int, run int, combine string) {
	switch d := dst.(type) {
	case []float32:
		putNumbers(d, src.([]float32), offsets, run, combine)
	case []int64:
		putNumbers(d, src.([]int64), offsets, run, combine)
	case []int32:
		putNumbers(d, src.([]int32), offsets, run, combine)
	case []uint8:
		putNumbers(d, src.([]uint8), offsets, run, combine)
	case []int8:
		putNumbers(d, src.([]int8), offsets, run, combine)
	case []bool:
		if combine != "none" {
			failf("attribute reduction is %q for bools", combine)
		}
		s := src.([]bool)
		for i, o := range offsets {
			copy(d[o:][:run], s[i*run:])
		}
	}
}

func putNumbers[T number](dst, src []T, offsets []int, run int, combine string) {
	var f func(a, b T) T
	switch combine {
	case "add":
		f = add[T]
	case "mul":
		f = mul[T]
	case "min":
		f = minimum[T]
	case "max":
		f = maximum[T]
	}
	for i, o := range offsets {
		d, s := dst[o:][:run], src[i*run:][:run]
		if f == nil {
			copy(d, s)
			continue
		}
		for k, v := range s {
			d[k] = f(d[k], v)
		}
	}
}

// within returns an index of an axis of n elements, counted from the end if negative.
func within(i, n int) int {
	if i < -n || i >= n {
		failf("index %d of an axis of %d", i, n)
	}
	if i < 0 {
		i += n
	}
	return i
}

func buildGather(a *attributes) kernel {
	along := a.int("axis", 0)
	return func(c *call) []*Tensor {
		x, index := c.rank(0, 1), c.ints(1)
		along := axis(along, len(x.Shape))
		shape := slices.Concat(x.Shape[:along], c.in[1].Shape, x.Shape[along+1:])
		y := c.new(x.Type(), shape)
		outer, inner, n := product(x.Shape[:along]), product(x.Shape[along+1:]), x.Shape[along]
		for i, v := range index {
			index[i] = within(v, n)
		}
		if y.Len() == 0 {
			return []*Tensor{y}
		}
		offsets := make([]int, 0, outer*len(index))
		for o := range outer {
			for _, i := range index {
				offsets = append(offsets, (o*n+i)*inner)
			}
		}
		take(y.Data, x.Data, offsets, inner)
		return []*Tensor{y}
	}
}

// elementOffsets returns, for each element of a tensor of indices along an axis, where
// that element of x lies which differs from it in that axis alone.
func elementOffsets(x *Tensor, shape, index []int, along int) []int {
	if len(shape) != len(x.Shape) {
		failf("indices of shape %v for shape %v", shape, x.Shape)
	}
	for i, d := range shape {
		if i != along && d > x.Shape[i] {
			failf("indices of shape %v for shape %v", shape, x.Shape)
		}
	}
	s := strides(x.Shape)
	at := make([]int, len(shape))
	offsets := make([]int, len(index))
	for i, v := range index {
		o := within(v, x.Shape[along]) * s[along]
		for d, a := range at {
			if d != along {
				o += a * s[d]
			}
		}
		offsets[i] = o
		for d := len(at) - 1; d >= 0; d-- {
			if at[d]++; at[d] < shape[d] {
				break
			}
			at[d] = 0
		}
	}
	return offsets
}

func buildGatherElements(a *attributes) kernel {
	along := a.int("axis", 0)
	return func(c *call) []*Tensor {
		x, index := c.rank(0, 1), c.ints(1)
		y := c.new(x.Type(), c.in[1].Shape)
		take(y.Data, x.Data, elementOffsets(x, c.in[1].Shape, index, axis(along, len(x.Shape))), 1)
		return []*Tensor{y}
	}
}

// copied returns a copy of input 0.
func (c *call) copied() *Tensor {
	x := c.in[0]
	y := c.new(x.Type(), x.Shape)
	copyStrided(c.threads, []int{x.Len()}, y.Data, 0, []int{1}, x.Data, 0, []int{1})
	return y
}

func buildScatterElements(a *attributes) kernel {
	along := a.int("axis", 0)
	combine := a.choice("reduction", "none", "add", "mul", "min", "max")
	return func(c *call) []*Tensor {
		x, index, v := c.rank(0, 1), c.ints(1), c.tensor(2)
		if !slices.Equal(c.in[1].Shape, v.Shape) || v.Type() != x.Type() {
			failf("indices of shape %v for %v of shape %v", c.in[1].Shape, v.Type(), v.Shape)
		}
		offsets := elementOffsets(x, v.Shape, index, axis(along, len(x.Shape)))
		y := c.copied()
		put(y.Data, v.Data, offsets, 1, combine)
		return []*Tensor{y}
	}
}

// tupleOffsets returns where in x the tuples of indices, the last axis of a tensor, point,
// and the number of elements from there on that they mean; the first axes, as many as
// batch says, are those of x.
func tupleOffsets(x *Tensor, shape, index []int, batch int) (offsets []int, run int) {
	if len(shape) == 0 || batch < 0 || batch >= len(shape) || batch > len(x.Shape) || batch+shape[len(shape)-1] > len(x.Shape) ||
		!slices.Equal(shape[:batch], x.Shape[:batch]) {
		failf("indices of shape %v for shape %v", shape, x.Shape)
	}
	n := shape[len(shape)-1]
	s := strides(x.Shape)
	run = product(x.Shape[batch+n:])
	tuples := product(shape[:len(shape)-1])
	each := product(shape[batch : len(shape)-1])
	whole := product(x.Shape[batch:])
	for t := range tuples {
		o := t / each * whole
		for k, v := range index[t*n : (t+1)*n] {
			o += within(v, x.Shape[batch+k]) * s[batch+k]
		}
		offsets = append(offsets, o)
	}
	return offsets, run
}

func buildGatherND(a *attributes) kernel {
	batch := a.int("batch_dims", 0)
	return func(c *call) []*Tensor {
		x, index := c.rank(0, 1), c.ints(1)
		shape := c.in[1].Shape
		offsets, run := tupleOffsets(x, shape, index, batch)
		n := shape[len(shape)-1]
		y := c.new(x.Type(), slices.Concat(shape[:len(shape)-1], x.Shape[batch+n:]))
		take(y.Data, x.Data, offsets, run)
		return []*Tensor{y}
	}
}

func buildScatterND(a *attributes) kernel {
	combine := a.choice("reduction", "none", "add", "mul", "min", "max")
	return func(c *call) []*Tensor {
		x, index, v := c.rank(0, 1), c.ints(1), c.tensor(2)
		shape := c.in[1].Shape
		offsets, run := tupleOffsets(x, shape, index, 0)
		n := shape[len(shape)-1]
		if want := slices.Concat(shape[:len(shape)-1], x.Shape[n:]); !slices.Equal(want, v.Shape) || v.Type() != x.Type() {
			failf("updates are %v of shape %v, not %v of shape %v", v.Type(), v.Shape, x.Type(), want)
		}
		y := c.copied()
		put(y.Data, v.Data, offsets, run, combine)
		return []*Tensor{y}
	}
}

// buildOneHot returns the kernel of OneHot.
func buildOneHot(a *attributes) kernel {
	along := a.int("axis", -1)
	return func(c *call) []*Tensor {
		index, depth, values := cast(c, c.tensor(0), Int64), cast(c, c.tensor(1), Int64), c.tensor(2)
		if depth.Len() != 1 || values.Len() != 2 {
			failf("depth of %d elements, values of %d", depth.Len(), values.Len())
		}
		at := axis(along, len(index.Shape)+1)
		n := int(depth.Data.([]int64)[0])
		y := c.new(values.Type(), slices.Insert(slices.Clone(index.Shape), at, n))
		inner := product(index.Shape[at:])
		offsets := make([]int, y.Len())
		for i, v := range index.Data.([]int64) {
			if v < 0 {
				v += int64(n)
			}
			if v >= 0 && v < int64(n) {
				offsets[(i/inner*n+int(v))*inner+i%inner] = 1
			}
		}
		take(y.Data, values.Data, offsets, 1)
		return []*Tensor{y}
	}
}

// buildNonZero returns the kernel of NonZero.
func buildNonZero(*attributes) kernel {
	return func(c *call) []*Tensor {
		x := c.tensor(0)
		var at []int
		for i, v := range cast(c, x, Bool).Data.([]bool) {
			if v {
				at = append(at, i)
			}
		}
		rank := max(1, len(x.Shape))
		y := c.new(Int64, []int{rank, len(at)})
		d := y.Data.([]int64)
		for i, o := range at {
			for a, s := range strides(x.Shape) {
				d[a*len(at)+i] = int64(o / s % x.Shape[a])
			}
		}
		return []*Tensor{y}
	}
}

// buildTopK returns the kernel of TopK.
func buildTopK(a *attributes) kernel {
	along := a.int("axis", -1)
	biggest := a.bool("largest", true)
	a.bool("sorted", true) // they always are
	k := -1
	if a.version < 10 {
		k = a.int("k", 0)
	}
	return func(c *call) []*Tensor {
		x, k := c.rank(0, 1), k
		if k < 0 {
			k = c.integer(1)
		}
		along := axis(along, len(x.Shape))
		n, inner := x.Shape[along], product(x.Shape[along+1:])
		if k < 0 || k > n {
			failf("the first %d of %d", k, n)
		}
		value := x.values()
		if value == nil {
			failf("input 0 is bool, not numbers")
		}
		shape := slices.Clone(x.Shape)
		shape[along] = k
		y, where := c.new(x.Type(), shape), c.new(Int64, shape)
		order := make([]int, n)
		offsets := make([]int, y.Len())
		for r := 0; n > 0 && r < x.Len()/n; r++ {
			base := r/inner*n*inner + r%inner
			for i := range order {
				order[i] = i
			}
			slices.SortStableFunc(order, func(i, j int) int {
				v, w := value(base+i*inner), value(base+j*inner)
				if !biggest {
					v, w = w, v
				}
				switch {
				case v > w:
					return -1
				case v < w:
					return 1
				}
				return 0
			})
			for i, o := range order[:k] {
				to := r/inner*k*inner + i*inner + r%inner
				offsets[to] = base + o*inner
				where.Data.([]int64)[to] = int64(o)
			}
		}
		take(y.Data, x.Data, offsets, 1)
		return []*Tensor{y, where}
	}
}
