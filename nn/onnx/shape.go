package onnx

import "slices"

// buildShape returns the kernel of Shape.
func buildShape(a *attributes) kernel {
	start, end := a.int("start", 0), a.int("end", 1<<30)
	return func(c *call) []*Tensor {
		s := c.tensor(0).Shape
		clip := func(i int) int {
			if i < 0 {
				i += len(s)
			}
			return min(max(i, 0), len(s))
		}
		lo := clip(start)
		return []*Tensor{c.vectorOf(s[lo:max(lo, clip(end))])}
	}
}

// vectorOf returns a tensor of int64 in one axis.
func (c *call) vectorOf(v []int) *Tensor {
	y := c.new(Int64, []int{len(v)})
	for i, x := range v {
		y.Data.([]int64)[i] = int64(x)
	}
	return y
}

func buildSize(*attributes) kernel {
	return func(c *call) []*Tensor { return []*Tensor{c.reshaped(c.vectorOf([]int{c.tensor(0).Len()}), nil)} }
}

func buildIdentity(a *attributes) kernel {
	return func(c *call) []*Tensor { return []*Tensor{c.same()} }
}

// same returns input 0 as another tensor.
func (c *call) same() *Tensor {
	t := *c.tensor(0)
	return &t
}

// buildDropout returns the kernel of Dropout, which drops nothing: training is an error.
func buildDropout(a *attributes) kernel {
	ratio := a.float("ratio", 0.5)
	a.ignore("seed", "is_test", "consumed_inputs")
	return func(c *call) []*Tensor {
		ratio := ratio
		if c.has(1) && c.in[1].Len() == 1 && c.in[1].Type() == Float32 {
			ratio = c.floats(1)[0]
		}
		if c.has(2) && ratio > 0 {
			if on, ok := c.in[2].Data.([]bool); ok && len(on) == 1 && on[0] {
				failf("training is not supported")
			}
		}
		out := []*Tensor{c.same()}
		if len(a.outputs) > 1 {
			typ := Bool
			if a.version < 10 {
				typ = c.in[0].Type()
			}
			mask := c.new(typ, c.in[0].Shape)
			switch d := mask.Data.(type) {
			case []bool:
				for i := range d {
					d[i] = true
				}
			case []float32:
				for i := range d {
					d[i] = 1
				}
			}
			out = append(out, mask)
		}
		return out
	}
}

// buildReshape returns the kernel of Reshape.
func buildReshape(a *attributes) kernel {
	zero := a.bool("allowzero", false)
	return func(c *call) []*Tensor {
		x, want := c.tensor(0), c.ints(1)
		shape := slices.Clone(want)
		open, rest := -1, 1
		for i, d := range shape {
			switch {
			case d == -1 && open < 0:
				open = i
				continue
			case d < 0:
				failf("%v is no shape", want)
			case d == 0 && !zero:
				if i >= len(x.Shape) {
					failf("shape %v copies axis %d of shape %v", want, i, x.Shape)
				}
				shape[i] = x.Shape[i]
			}
			if shape[i] > 0 && rest > (1<<62)/shape[i] {
				failf("shape %v is out of range", want)
			}
			rest *= shape[i]
		}
		if open >= 0 {
			if rest == 0 || x.Len()%rest != 0 {
				failf("shape %v does not fit %d elements of shape %v", want, x.Len(), x.Shape)
			}
			shape[open] = x.Len() / rest
		}
		if n, ok := elements(shape); !ok || n != x.Len() {
			failf("shape %v does not fit %d elements of shape %v", want, x.Len(), x.Shape)
		}
		return []*Tensor{c.reshaped(x, shape)}
	}
}

func buildFlatten(a *attributes) kernel {
	at := a.int("axis", 1)
	return func(c *call) []*Tensor {
		x := c.tensor(0)
		if at < -len(x.Shape) || at > len(x.Shape) {
			failf("axis %d of a tensor of %d axes", at, len(x.Shape))
		}
		split := at
		if split < 0 {
			split += len(x.Shape)
		}
		return []*Tensor{c.reshaped(x, []int{product(x.Shape[:split]), product(x.Shape[split:])})}
	}
}

// listed returns integers that are an attribute at first and input 1 from a version on.
func listed(a *attributes, name string, from int) func(c *call) (v []int, given bool) {
	list := a.ints(name)
	given := a.has(name)
	if given && a.version >= from {
		failf("attribute %s is an input from version %d on", name, from)
	}
	return func(c *call) ([]int, bool) {
		if c.has(1) {
			return c.ints(1), true
		}
		return list, given
	}
}

func buildSqueeze(a *attributes) kernel {
	list := listed(a, "axes", 13)
	return func(c *call) []*Tensor {
		x := c.tensor(0)
		l, given := list(c)
		gone := axes(l, len(x.Shape))
		var shape []int
		for i, d := range x.Shape {
			switch {
			case given && !slices.Contains(gone, i), !given && d != 1:
				shape = append(shape, d)
			case d != 1:
				failf("axis %d of shape %v is not 1", i, x.Shape)
			}
		}
		return []*Tensor{c.reshaped(x, shape)}
	}
}

func buildUnsqueeze(a *attributes) kernel {
	list := listed(a, "axes", 13)
	return func(c *call) []*Tensor {
		x := c.tensor(0)
		l, _ := list(c)
		rank := len(x.Shape) + len(l)
		added := axes(l, rank)
		shape := make([]int, 0, rank)
		old := x.Shape
		for i := range rank {
			if slices.Contains(added, i) {
				shape = append(shape, 1)
			} else {
				shape = append(shape, old[0])
				old = old[1:]
			}
		}
		return []*Tensor{c.reshaped(x, shape)}
	}
}

// buildTranspose returns the kernel of Transpose, which moves nothing where the order in
// memory is already that of the result, or that with channels last.
func buildTranspose(a *attributes) kernel {
	perm := a.ints("perm")
	a.perm = perm
	return func(c *call) []*Tensor {
		x := c.tensor(0)
		shape, from := permuted(x, perm)
		return []*Tensor{c.transposed(x, shape, from)}
	}
}

// permuted returns the shape of x with its axes in another order, reversed if perm is nil, and
// the strides of x in that order.
func permuted(x *Tensor, perm []int) (shape, from []int) {
	if perm == nil {
		for i := range x.Shape {
			perm = append(perm, len(x.Shape)-1-i)
		}
	}
	if len(perm) != len(x.Shape) {
		failf("attribute perm has %d axes, the tensor %d", len(perm), len(x.Shape))
	}
	perm = axes(perm, len(x.Shape))
	shape, from = make([]int, len(perm)), make([]int, len(perm))
	xs := x.strides()
	for i, p := range perm {
		shape[i], from[i] = x.Shape[p], xs[p]
	}
	return shape, from
}

// viewed returns x as a tensor of another shape, whose elements lie so far apart in x, if they
// lie there in an order that a tensor may have.
func (x *Tensor) viewed(shape, from []int) (*Tensor, bool) {
	view := &Tensor{Shape: shape, Data: x.Data, buf: x.buf}
	for _, last := range []bool{false, true} {
		if view.channelsLast = last; last && len(shape) < 3 {
			break
		}
		in := true
		for i, s := range view.strides() {
			in = in && (s == from[i] || shape[i] == 1)
		}
		if in {
			return view, true
		}
	}
	return nil, false
}

// transposed returns the elements of x in another order, given by strides.
func (c *call) transposed(x *Tensor, shape, from []int) *Tensor {
	if view, ok := x.viewed(shape, from); ok {
		return view
	}
	y := c.new(x.Type(), shape)
	copyStrided(c.threads, shape, y.Data, 0, strides(shape), x.Data, 0, from)
	return y
}

// blocks2D returns the sizes of an image whose channels hold blocks of positions.
func blocks2D(c *call, size int, deep bool) (n, ch, h, w int) {
	x := c.tensor(0)
	if len(x.Shape) != 4 {
		failf("input 0 has shape %v, of not 4 axes", x.Shape)
	}
	n, ch, h, w = x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]
	if deep && ch%(size*size) != 0 || !deep && (h%size != 0 || w%size != 0) {
		failf("shape %v does not divide into blocks of %d", x.Shape, size)
	}
	return n, ch, h, w
}

// moved transposes x, taken as of another shape, and returns it as of a third.
func (c *call) moved(x *Tensor, as, perm, shape []int) []*Tensor {
	to, from := permuted(c.reshaped(x, as), perm)
	y := c.new(x.Type(), to)
	copyStrided(c.threads, to, y.Data, 0, strides(to), x.Data, 0, from)
	return []*Tensor{c.reshaped(y, shape)}
}

func blockSize(a *attributes) int {
	size := a.int("blocksize", 0)
	if size < 1 || size > 1<<15 {
		failf("attribute blocksize is %d", size)
	}
	return size
}

func buildDepthToSpace(a *attributes) kernel {
	b := blockSize(a)
	crd := a.choice("mode", "DCR", "CRD") == "CRD"
	return func(c *call) []*Tensor {
		n, ch, h, w := blocks2D(c, b, true)
		out := []int{n, ch / (b * b), h * b, w * b}
		if crd {
			return c.moved(c.in[0], []int{n, ch / (b * b), b, b, h, w}, []int{0, 1, 4, 2, 5, 3}, out)
		}
		return c.moved(c.in[0], []int{n, b, b, ch / (b * b), h, w}, []int{0, 3, 4, 1, 5, 2}, out)
	}
}

func buildSpaceToDepth(a *attributes) kernel {
	b := blockSize(a)
	return func(c *call) []*Tensor {
		n, ch, h, w := blocks2D(c, b, false)
		return c.moved(c.in[0], []int{n, ch, h / b, b, w / b, b}, []int{0, 3, 5, 1, 2, 4}, []int{n, ch * b * b, h / b, w / b})
	}
}

// buildConstant returns the kernel of Constant.
func buildConstant(a *attributes) kernel {
	t := a.tensor("value")
	if a.has("value_float") {
		t = NewTensor([]float32{a.float("value_float", 0)})
	}
	if a.has("value_int") {
		t = NewTensor([]int64{int64(a.int("value_int", 0))})
	}
	if a.has("value_floats") {
		v := append([]float32{}, a.floats("value_floats")...)
		t = NewTensor(v, len(v))
	}
	if a.has("value_ints") {
		v := append([]int64{}, a.get("value_ints", kindInts).ints...)
		t = NewTensor(v, len(v))
	}
	if t == nil {
		failf("no attribute value, value_float, value_int, value_floats or value_ints")
	}
	return func(*call) []*Tensor { return []*Tensor{t} }
}

// fill sets all elements of y to the only one of v.
func fill(y, v *Tensor) {
	switch d := y.Data.(type) {
	case []float32:
		fillWith(d, v.Data.([]float32)[0])
	case []int64:
		fillWith(d, v.Data.([]int64)[0])
	case []int32:
		fillWith(d, v.Data.([]int32)[0])
	case []bool:
		fillWith(d, v.Data.([]bool)[0])
	case []uint8:
		fillWith(d, v.Data.([]uint8)[0])
	case []int8:
		fillWith(d, v.Data.([]int8)[0])
	}
}

func fillWith[T element](d []T, v T) {
	for i := range d {
		d[i] = v
	}
}

func buildConstantOfShape(a *attributes) kernel {
	v := a.tensor("value")
	if v == nil {
		v = NewTensor([]float32{0}, 1)
	}
	if v.Len() != 1 {
		failf("attribute value has %d elements", v.Len())
	}
	return func(c *call) []*Tensor {
		y := c.new(v.Type(), c.ints(0))
		fill(y, v)
		return []*Tensor{y}
	}
}

// buildRange returns the kernel of Range.
func buildRange(*attributes) kernel {
	return func(c *call) []*Tensor {
		for i := range 3 {
			if c.tensor(i).Len() != 1 || c.in[i].Type() != c.in[0].Type() {
				failf("inputs are not three numbers of one type")
			}
		}
		if c.in[0].Type() == Float32 {
			start, limit, delta := float64(c.floats(0)[0]), float64(c.floats(1)[0]), float64(c.floats(2)[0])
			n := (limit - start) / delta
			if delta == 0 || n != n || n > 1<<40 {
				failf("a range from %v to %v by %v", start, limit, delta)
			}
			y, d := c.newFloats([]int{max(0, ceil(n))})
			for i := range d {
				d[i] = float32(start + float64(float64(i)*delta))
			}
			return []*Tensor{y}
		}
		start, limit, delta := c.ints(0)[0], c.ints(1)[0], c.ints(2)[0]
		if delta == 0 {
			failf("a range by 0")
		}
		span := float64(limit) - float64(start)
		if span/float64(delta) > 1<<40 {
			failf("a range from %d to %d by %d", start, limit, delta)
		}
		n := 0
		if span/float64(delta) > 0 {
			n = (limit - start + delta - delta/max(1, max(delta, -delta))) / delta
		}
		y := c.new(Int64, []int{n})
		for i := range n {
			y.Data.([]int64)[i] = int64(start + i*delta)
		}
		return []*Tensor{cast(c, y, c.in[0].Type())}
	}
}

func ceil(x float64) int {
	n := int(x)
	if float64(n) < x {
		n++
	}
	return n
}

// buildEyeLike returns the kernel of EyeLike.
func buildEyeLike(a *attributes) kernel {
	k := a.int("k", 0)
	typ := Type(0)
	if a.has("dtype") {
		typ = newCastTo(a.int("dtype", 0)).typ
	}
	return func(c *call) []*Tensor {
		x := c.tensor(0)
		if len(x.Shape) != 2 {
			failf("input 0 has shape %v, of not 2 axes", x.Shape)
		}
		y, d := c.newFloats(x.Shape)
		clear(d)
		for i := range x.Shape[0] {
			if j := i + k; j >= 0 && j < x.Shape[1] {
				d[i*x.Shape[1]+j] = 1
			}
		}
		t := typ
		if t == 0 {
			t = x.Type()
		}
		return []*Tensor{cast(c, y, t)}
	}
}
