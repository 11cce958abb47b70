package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestGradients compares every layer's gradients, by its input and by each
// parameter, with central differences of the scalar sum(r * output) for a
// random r. Where the output is linear in what is moved the step may be large
// and only rounding is left; elsewhere the step weighs rounding against
// curvature. Inputs are distinct multiples of 0.05, so that steps of 0.01 cross
// no kink of ReLU or maximum.
func TestGradients(t *testing.T) {
	for _, c := range []struct {
		layer     Layer
		in        Shape
		step, tol float64
	}{
		{Conv2D{Name: "conv", Out: 5, Kernel: 3, Pad: 1}, Shape{6, 5, 3}, 0.5, 1e-4},
		{Conv2D{Name: "strided", Out: 4, Kernel: 3, Stride: 2}, Shape{7, 7, 2}, 0.5, 1e-4},
		{Conv2D{Name: "grouped", Out: 6, Kernel: 3, Pad: 1, Groups: 2}, Shape{4, 4, 4}, 0.5, 1e-4},
		{Conv2D{Name: "pointwise", Out: 6, Kernel: 1, NoBias: true}, Shape{4, 3, 4}, 0.5, 1e-4},
		{Conv2D{Name: "strided pointwise", Out: 6, Kernel: 1, Stride: 2, NoBias: true}, Shape{5, 4, 4}, 0.5, 1e-4},
		{Conv2D{Name: "no padding", Out: 8, Kernel: 3, NoBias: true}, Shape{8, 8, 8}, 0.5, 1e-4},
		{Dense{Name: "dense", Out: 7}, Shape{3, 2, 4}, 0.5, 1e-4},
		{ReLU{"relu"}, Shape{4, 4, 3}, 0.01, 1e-3},
		{MaxPool{Name: "max", Kernel: 3, Stride: 2, Ceil: true}, Shape{6, 6, 2}, 0.01, 1e-3},
		{MaxPool{Name: "padded max", Kernel: 3, Stride: 2, Pad: 1}, Shape{6, 6, 2}, 0.01, 1e-3},
		{AvgPool{Name: "mean", Kernel: 3, Stride: 2, Ceil: true}, Shape{6, 5, 2}, 0.5, 1e-4},
		{AvgPool{Name: "padded mean", Kernel: 3, Stride: 2, Pad: 1, Ceil: true}, Shape{6, 6, 2}, 0.5, 1e-4},
		{GlobalAvgPool{"global mean"}, Shape{4, 5, 3}, 0.5, 1e-4},
		{LRN{Name: "norm", Alpha: 0.5}, Shape{2, 2, 8}, 0.01, 1e-3},
		{LRN{Name: "norm beta", Size: 3, Alpha: 0.3, Beta: 0.6, K: 2}, Shape{2, 2, 5}, 0.01, 1e-3},
		{BatchNorm2D{Name: "batch norm"}, Shape{4, 3, 5}, 0.01, 1e-3},
		{BatchNorm2D{Name: "batch norm eps", Eps: 0.5}, Shape{2, 2, 8}, 0.01, 1e-3},
		{Dropout{"drop", 0.4}, Shape{4, 4, 3}, 0.5, 1e-4},
	} {
		t.Run(c.layer.name(), func(t *testing.T) {
			f := newLayerScalar(t, c.layer, c.in)
			inputs := map[string][]float32{"input": f.x.Data}
			gradients := map[string][]float32{"input": f.gradient().Data}
			for _, q := range f.op.params() {
				inputs[q.Name], gradients[q.Name] = q.Data, slices.Clone(q.Grad)
			}
			for name, grad := range gradients {
				checkGradient(t, name, f.value, inputs[name], grad, c.step, c.tol)
			}
		})
	}
}

// layerScalar is the scalar sum(r * output) of a layer.
type layerScalar struct {
	op      op
	pass    pass
	x, y, r *Tensor
}

// newLayerScalar draws the input x of the given shape and r.
func newLayerScalar(t *testing.T, l Layer, in Shape) *layerScalar {
	t.Helper()
	rnd := rand.New(rand.NewPCG(1, 2))
	out, err := l.output(in)
	if err != nil {
		t.Fatal(err)
	}
	const n = 2
	f := &layerScalar{
		op: l.build(in, rnd), pass: pass{threads: 1, train: true, seed: 9, step: 3},
		x: NewTensor(n, in.H, in.W, in.C), y: NewTensor(n, out.H, out.W, out.C), r: NewTensor(n, out.H, out.W, out.C),
	}
	for i, v := range rnd.Perm(len(f.x.Data)) {
		f.x.Data[i] = float32(v-len(f.x.Data)/2)*0.05 + 0.025
	}
	for i := range f.r.Data {
		f.r.Data[i] = float32(rnd.NormFloat64())
	}
	for _, q := range f.op.params() {
		for i := range q.Data {
			q.Data[i] += float32(rnd.NormFloat64()) // not where some begin: 0, or 1
		}
	}
	return f
}

// value returns the scalar, and sets y to the output.
func (f *layerScalar) value() float64 {
	in := f.x
	if f.op.inPlace() {
		copy(f.y.Data, f.x.Data)
		in = f.y
	}
	f.op.forward(f.pass, f.y, in)
	var s float64
	for i, v := range f.y.Data {
		s += float64(v) * float64(f.r.Data[i])
	}
	return s
}

// gradient returns the gradient of the scalar by x, and sets those by the parameters.
func (f *layerScalar) gradient() *Tensor {
	f.value()
	dy := NewTensor(f.y.N, f.y.H, f.y.W, f.y.C)
	copy(dy.Data, f.r.Data)
	if f.op.inPlace() {
		f.op.backward(f.pass, dy, dy, f.y, f.y)
		return dy
	}
	for i := range f.y.Data {
		f.y.Data[i] = float32(math.NaN()) // a layer that works in place may follow
	}
	dx := NewTensor(f.x.N, f.x.H, f.x.W, f.x.C)
	f.op.backward(f.pass, dx, dy, f.y, f.x)
	return dx
}

// checkGradient compares the gradient of a value by x with its central differences, with a
// tolerance relative to the largest.
func checkGradient(t *testing.T, name string, value func() float64, x, grad []float32, step, tol float64) {
	t.Helper()
	var largest float64
	for _, g := range grad {
		largest = max(largest, math.Abs(float64(g)))
	}
	if largest == 0 {
		t.Fatalf("%s: all gradients are zero", name)
	}
	for i, v := range x {
		x[i] = v + float32(step)
		up := value()
		x[i] = v - float32(step)
		down := value()
		x[i] = v
		want := (up - down) / (2 * step)
		if e := math.Abs(float64(grad[i]) - want); e > tol*largest {
			t.Fatalf("%s[%d]: gradient %v, difference quotient %v", name, i, grad[i], want)
		}
	}
}

// TestNetGradient does the same for the loss of whole networks: a chain, and one of sums,
// whose layers are read once or several times, and work in place or cannot.
func TestNetGradient(t *testing.T) {
	for _, a := range []Arch{
		{Name: "chain", Input: Shape{8, 8, 2}, Classes: 3, Layers: []Layer{
			LRN{Name: "norm0", Alpha: 0.1},
			Conv2D{Name: "conv1", Out: 4, Kernel: 3, Pad: 1}, LRN{Name: "norm1", Alpha: 0.2},
			AvgPool{Name: "pool1", Kernel: 2, Stride: 2}, Dropout{"drop", 0.2},
			Dense{Name: "fc", Out: 3},
		}},
		{Name: "sums", Input: Shape{6, 6, 2}, Classes: 3, Layers: []Layer{
			Conv2D{Name: "conv1", Out: 3, Kernel: 3, Pad: 1}, BatchNorm2D{Name: "norm1"},
			Conv2D{Name: "conv2", Out: 3, Kernel: 3, Pad: 1, NoBias: true}, BatchNorm2D{Name: "norm2"},
			Residual{Name: "in place", From: "norm1"},
			Residual{Name: "twice", From: "in place"}, Dropout{"drop", 0.2},
			Residual{Name: "after in place", From: "norm1"},
			Conv2D{Name: "conv3", Out: 4, Kernel: 3, Stride: 2, NoBias: true},
			Residual{Name: "projection", From: "after in place", Shortcut: []Layer{
				Conv2D{Name: "conv4", Out: 4, Kernel: 3, Stride: 2, NoBias: true}, BatchNorm2D{Name: "norm4"},
			}},
			GlobalAvgPool{"pool"}, Dense{Name: "fc", Out: 3},
		}},
		{Name: "sum after ReLU", Input: Shape{2, 2, 2}, Classes: 3, Layers: []Layer{ // from this seed no step crosses a kink
			Conv2D{Name: "conv1", Out: 3, Kernel: 1}, Conv2D{Name: "conv2", Out: 3, Kernel: 1}, ReLU{"relu2"},
			Residual{Name: "add", From: "conv1"}, Dense{Name: "fc", Out: 3},
		}},
	} {
		n := must(New(a, 5))
		rnd := rand.New(rand.NewPCG(1, 2))
		x := NewTensor(4, a.Input.H, a.Input.W, a.Input.C)
		for i := range x.Data {
			x.Data[i] = float32(rnd.NormFloat64())
		}
		p, b := pass{threads: 1, train: true, seed: 1}, Batch{X: x, Labels: []int{0, 1, 2, 1}}
		n.gradients(p, b)
		var grads [][]float32
		for _, q := range n.Params() {
			grads = append(grads, append([]float32(nil), q.Grad...))
		}
		for k, q := range n.Params() {
			grad := grads[k]
			for i := range q.Data {
				const h = 1e-2
				old := q.Data[i]
				q.Data[i] = old + h
				up := n.gradients(p, b)
				q.Data[i] = old - h
				down := n.gradients(p, b)
				q.Data[i] = old
				if want := (up - down) / (2 * h); math.Abs(float64(grad[i])-want) > 1e-3*(0.1+math.Abs(want)) {
					t.Fatalf("%s: %s[%d]: gradient %v, difference quotient %v", a.Name, q.Name, i, grad[i], want)
				}
			}
		}
	}
}

func TestSoftmaxCrossEntropy(t *testing.T) {
	logits := &Tensor{N: 3, H: 1, W: 1, C: 3, Data: []float32{1, 2, 3, 1e4, 0, -1e4, 5, 5, 5}}
	grad := NewTensor(3, 1, 1, 3)
	loss, correct := softmaxCrossEntropy(logits, []int{2, 1, 0}, grad)
	z := math.Exp(-2) + math.Exp(-1) + 1
	if want := (math.Log(z) + 1e4 + math.Log(3)) / 3; math.Abs(loss-want) > 1e-12*want {
		t.Errorf("loss %v, want %v", loss, want)
	}
	if correct != 2 {
		t.Errorf("%d correct, want 2", correct)
	}
	want := []float64{math.Exp(-2) / z, math.Exp(-1) / z, 1/z - 1, 1, -1, 0, -2. / 3, 1. / 3, 1. / 3}
	for i, g := range grad.Data {
		if math.Abs(float64(g)-want[i]/3) > 1e-7 {
			t.Errorf("gradient %d is %v, want %v", i, g, want[i]/3)
		}
	}
	for _, labels := range [][]int{{0}, {0, 1, 3}, {0, -1, 1}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("labels %v: no panic", labels)
				}
			}()
			SoftmaxCrossEntropy(logits, labels)
		}()
	}
	if fmt.Sprint(logits.Data[:3]) != "[1 2 3]" {
		t.Error("the logits were changed")
	}
}
