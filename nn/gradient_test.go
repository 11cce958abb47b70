package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
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
		{Dense{Name: "dense", Out: 7}, Shape{3, 2, 4}, 0.5, 1e-4},
		{ReLU{"relu"}, Shape{4, 4, 3}, 0.01, 1e-3},
		{MaxPool{Name: "max", Kernel: 3, Stride: 2, Ceil: true}, Shape{6, 6, 2}, 0.01, 1e-3},
		{MaxPool{Name: "padded max", Kernel: 3, Stride: 2, Pad: 1}, Shape{6, 6, 2}, 0.01, 1e-3},
		{AvgPool{Name: "mean", Kernel: 3, Stride: 2, Ceil: true}, Shape{6, 5, 2}, 0.5, 1e-4},
		{AvgPool{Name: "padded mean", Kernel: 3, Stride: 2, Pad: 1, Ceil: true}, Shape{6, 6, 2}, 0.5, 1e-4},
		{LRN{Name: "norm", Alpha: 0.5}, Shape{2, 2, 8}, 0.01, 1e-3},
		{LRN{Name: "norm beta", Size: 3, Alpha: 0.3, Beta: 0.6, K: 2}, Shape{2, 2, 5}, 0.01, 1e-3},
		{Dropout{"drop", 0.4}, Shape{4, 4, 3}, 0.5, 1e-4},
	} {
		t.Run(c.layer.name(), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(1, 2))
			out, err := c.layer.output(c.in)
			if err != nil {
				t.Fatal(err)
			}
			o := c.layer.build(c.in, rnd)
			p := pass{threads: 1, train: true, seed: 9, step: 3}
			const n = 2
			x, dx := NewTensor(n, c.in.H, c.in.W, c.in.C), NewTensor(n, c.in.H, c.in.W, c.in.C)
			y, r, dy := NewTensor(n, out.H, out.W, out.C), NewTensor(n, out.H, out.W, out.C), NewTensor(n, out.H, out.W, out.C)
			for i, v := range rnd.Perm(len(x.Data)) {
				x.Data[i] = float32(v-len(x.Data)/2)*0.05 + 0.025
			}
			for i := range r.Data {
				r.Data[i] = float32(rnd.NormFloat64())
			}
			value := func() float64 {
				in := x
				if o.inPlace() {
					copy(y.Data, x.Data)
					in = y
				}
				o.forward(p, y, in)
				var s float64
				for i, v := range y.Data {
					s += float64(v) * float64(r.Data[i])
				}
				return s
			}
			value()
			copy(dy.Data, r.Data)
			if o.inPlace() {
				o.backward(p, dy, dy, y, y)
				copy(dx.Data, dy.Data)
			} else {
				for i := range y.Data {
					y.Data[i] = float32(math.NaN()) // a layer that works in place may follow
				}
				o.backward(p, dx, dy, y, x)
			}
			moved := map[string][2][]float32{"input": {x.Data, dx.Data}}
			for _, q := range o.params() {
				moved[q.Name] = [2][]float32{q.Data, append([]float32(nil), q.Grad...)}
			}
			for name, m := range moved {
				var largest float64
				for _, g := range m[1] {
					largest = max(largest, math.Abs(float64(g)))
				}
				if largest == 0 {
					t.Fatalf("%s: all gradients are zero", name)
				}
				for i := range m[0] {
					old := m[0][i]
					m[0][i] = old + float32(c.step)
					up := value()
					m[0][i] = old - float32(c.step)
					down := value()
					m[0][i] = old
					want := (up - down) / (2 * c.step)
					if e := math.Abs(float64(m[1][i]) - want); e > c.tol*largest {
						t.Fatalf("%s[%d]: gradient %v, difference quotient %v", name, i, m[1][i], want)
					}
				}
			}
		})
	}
}

// TestNetGradient does the same for the loss of a whole network.
func TestNetGradient(t *testing.T) {
	n, err := New(Arch{Name: "smooth", Input: Shape{8, 8, 2}, Classes: 3, Layers: []Layer{
		LRN{Name: "norm0", Alpha: 0.1},
		Conv2D{Name: "conv1", Out: 4, Kernel: 3, Pad: 1}, LRN{Name: "norm1", Alpha: 0.2},
		AvgPool{Name: "pool1", Kernel: 2, Stride: 2}, Dropout{"drop", 0.2},
		Dense{Name: "fc", Out: 3},
	}}, 5)
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	x := NewTensor(4, 8, 8, 2)
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
				t.Fatalf("%s[%d]: gradient %v, difference quotient %v", q.Name, i, grad[i], want)
			}
		}
	}
}

func TestSoftmaxCrossEntropy(t *testing.T) {
	logits := &Tensor{N: 3, H: 1, W: 1, C: 3, Data: []float32{1, 2, 3, 1e4, 0, -1e4, 5, 5, 5}}
	grad := NewTensor(3, 1, 1, 3)
	loss, correct := SoftmaxCrossEntropy(logits, []int{2, 1, 0}, grad)
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
			SoftmaxCrossEntropy(logits, labels, nil)
		}()
	}
	if fmt.Sprint(logits.Data[:3]) != "[1 2 3]" {
		t.Error("the logits were changed")
	}
}
