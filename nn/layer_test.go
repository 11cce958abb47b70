package nn

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestPoolingSizes has Caffe's sizes, computed by its rule.
func TestPoolingSizes(t *testing.T) {
	for _, c := range []struct {
		kernel, stride, pad int
		ceil                bool
		in, out             int
	}{
		{3, 2, 0, true, 55, 27}, {3, 2, 0, true, 27, 13}, {3, 2, 0, true, 13, 6},
		{3, 2, 0, true, 32, 16}, {3, 2, 0, true, 16, 8}, {3, 2, 0, true, 8, 4},
		{3, 2, 0, false, 32, 15}, {3, 2, 1, false, 32, 16}, {2, 2, 0, false, 7, 3}, {2, 2, 0, true, 7, 4},
		{3, 2, 1, true, 6, 4},
		{2, 2, 1, true, 3, 2}, {1, 3, 0, true, 5, 2}, // one more window would begin beyond the padding, or the image
	} {
		got, err := MaxPool{Name: "p", Kernel: c.kernel, Stride: c.stride, Pad: c.pad, Ceil: c.ceil}.output(Shape{c.in, c.in, 1})
		if err != nil || got.H != c.out {
			t.Errorf("%+v: %d (%v), want %d", c, got.H, err, c.out)
		}
	}
}

// runLayer returns what a layer makes of x.
func runLayer(t *testing.T, l Layer, x *Tensor) *Tensor {
	t.Helper()
	s, err := l.output(x.Shape())
	if err != nil {
		t.Fatal(err)
	}
	y := NewTensor(x.N, s.H, s.W, s.C)
	l.build(x.Shape(), rand.New(rand.NewPCG(1, 1))).forward(pass{threads: 1}, y, x)
	return y
}

func TestPoolingValues(t *testing.T) {
	x := &Tensor{N: 1, H: 3, W: 3, C: 1, Data: []float32{-1, -2, -3, -4, -5, -6, -7, -8, -9}}
	for _, c := range []struct {
		layer Layer
		want  []float32
	}{
		{MaxPool{Name: "p", Kernel: 2, Stride: 2, Ceil: true}, []float32{-1, -3, -7, -9}},
		{MaxPool{Name: "p", Kernel: 2, Stride: 2, Pad: 1}, []float32{-1, -2, -4, -5}}, // padding never wins
		{AvgPool{Name: "p", Kernel: 2, Stride: 2, Ceil: true}, []float32{-3, -4.5, -7.5, -9}},
		{AvgPool{Name: "p", Kernel: 2, Stride: 2, Pad: 1}, []float32{-0.25, -1.25, -2.75, -7}}, // padding counts as zeros
		{GlobalAvgPool{"p"}, []float32{-5}},
	} {
		for i, v := range runLayer(t, c.layer, x).Data {
			if v != c.want[i] {
				t.Errorf("%+v: output %d is %v, want %v", c.layer, i, v, c.want[i])
			}
		}
	}
}

func TestReLUKeepsNaN(t *testing.T) {
	x := &Tensor{N: 1, H: 1, W: 1, C: 3, Data: []float32{-1, 2, float32(math.NaN())}}
	reluOp{}.forward(pass{threads: 1}, x, x)
	if x.Data[0] != 0 || x.Data[1] != 2 || x.Data[2] == x.Data[2] {
		t.Errorf("got %v", x.Data)
	}
}

// TestLRN compares with the formula in float64.
func TestLRN(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	x := NewTensor(2, 3, 3, 9)
	for i := range x.Data {
		x.Data[i] = float32(rnd.NormFloat64() * 10)
	}
	for _, l := range []LRN{{Name: "n"}, {Name: "n", Size: 3, Alpha: 0.1, Beta: 0.5, K: 2}} {
		size, alpha, beta, k := l.Size, l.Alpha, l.Beta, l.K
		if size == 0 {
			size, alpha, beta, k = 5, 1e-4, 0.75, 1
		}
		y := runLayer(t, l, x)
		for i, v := range x.Data {
			c, sum := i%x.C, 0.0
			for d := max(0, c-size/2); d <= min(x.C-1, c+size/2); d++ {
				u := float64(x.Data[i-c+d])
				sum += u * u
			}
			want := float64(v) * math.Pow(k+alpha/float64(size)*sum, -beta)
			if math.Abs(float64(y.Data[i])-want) > 1e-6*math.Abs(want) {
				t.Fatalf("%+v: element %d is %v, want %v", l, i, y.Data[i], want)
			}
		}
	}
}

func TestDropout(t *testing.T) {
	o := Dropout{"d", 0.3}.build(Shape{}, rand.New(rand.NewPCG(1, 1))).(*dropoutOp)
	draw := func(p pass) []float32 {
		x := NewTensor(100, 1, 1, 1000)
		for i := range x.Data {
			x.Data[i] = 1
		}
		o.forward(p, x, x)
		return x.Data
	}
	a := draw(pass{threads: 1, train: true, seed: 1, step: 5})
	b := draw(pass{threads: 3, train: true, seed: 1, step: 5})
	c := draw(pass{threads: 1, train: true, seed: 1, step: 6})
	var sum float64
	overlap := 0
	for i, v := range a {
		if v != b[i] {
			t.Fatal("threads change which elements are zeroed")
		}
		if v != 0 && v != float32(1/(1-0.3)) {
			t.Fatalf("elements that are not zeroed become %v", v)
		}
		if v == c[i] {
			overlap++
		}
		sum += float64(v)
	}
	if mean := sum / float64(len(a)); math.Abs(mean-1) > 0.01 {
		t.Errorf("mean %v, want 1", mean)
	}
	if overlap > len(a)*7/10 {
		t.Error("two steps drop the same elements")
	}
	for _, v := range draw(pass{threads: 1}) {
		if v != 1 {
			t.Fatal("dropout at work outside training")
		}
	}
}

func TestNewNamesTheLayer(t *testing.T) {
	input := Shape{8, 8, 3}
	for want, layers := range map[string][]Layer{
		`"big"`:     {Conv2D{Name: "big", Out: 2, Kernel: 9}},
		`"groups"`:  {Conv2D{Name: "groups", Out: 4, Kernel: 1, Groups: 2}},
		`"pool"`:    {MaxPool{Name: "pool", Kernel: 3}},
		`"mean"`:    {AvgPool{Name: "mean", Kernel: 9, Stride: 1}},
		`"norm"`:    {LRN{Name: "norm", Size: 4}},
		`"drop"`:    {Dropout{"drop", 1}},
		`"bn"`:      {BatchNorm2D{Name: "bn", Momentum: 2}},
		`"dense"`:   {Dense{Name: "dense"}},
		"is empty":  {ReLU{"a"}, ReLU{"a"}},
		"5 outputs": {Dense{Name: "fc", Out: 5}},
	} {
		if _, err := New(Arch{Name: "x", Input: input, Layers: layers, Classes: 2}, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %s", err, want)
		}
	}
	if _, err := New(Arch{Name: "x", Layers: nil, Classes: 2}, 1); err == nil {
		t.Error("no input: no error")
	}
}

func TestConvolve(t *testing.T) {
	x := &Tensor{N: 1, H: 2, W: 2, C: 1, Data: []float32{1, 2, 3, 4}}
	l := Conv2D{Out: 1, Kernel: 2, Pad: 1, Stride: 2}
	y := Convolve(nil, l, x, []float32{1, 10, 100, 1000}, []float32{0.5}, 1)
	want := []float32{1000.5, 200.5, 30.5, 4.5}
	for i, v := range y.Data {
		if v != want[i] {
			t.Fatalf("got %v, want %v", y.Data, want)
		}
	}
	if Convolve(y, l, x, []float32{1, 1, 1, 1}, nil, 0) != y || y.Data[0] != 1 {
		t.Error("dst is not filled and returned")
	}
	defer func() {
		if recover() == nil {
			t.Error("wrong dst: no panic")
		}
	}()
	Convolve(NewTensor(1, 1, 1, 1), l, x, []float32{1, 1, 1, 1}, nil, 0)
}
