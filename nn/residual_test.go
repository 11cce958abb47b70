package nn

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/convergent-go/convergent/internal/safetensors"
)

// residualArch is a residual network that trains in no time: a block with an identity and
// one with a projection. Testdata have it in PyTorch.
func residualArch(classes int) Arch {
	conv := func(name string, out, kernel, stride int) Layer {
		return Conv2D{Name: name, Out: out, Kernel: kernel, Stride: stride, Pad: kernel / 2, NoBias: true}
	}
	norm := func(name string) Layer { return BatchNorm2D{Name: name} }
	return Arch{Name: "residual", Input: Shape{8, 8, 3}, Classes: classes, Layers: []Layer{
		conv("conv1", 8, 3, 1), norm("bn1"), ReLU{"relu1"},
		conv("conv2", 8, 3, 1), norm("bn2"), ReLU{"relu2"},
		conv("conv3", 8, 3, 1), BatchNorm2D{Name: "bn3", Momentum: 0.3, Eps: 1e-3}, Residual{Name: "add3", From: "relu1"}, ReLU{"relu3"},
		conv("conv4", 12, 3, 2), norm("bn4"), ReLU{"relu4"},
		Conv2D{Name: "conv5", Out: 12, Kernel: 3, Pad: 1}, norm("bn5"),
		Residual{Name: "add5", From: "relu3", Shortcut: []Layer{conv("shortcut.0", 12, 1, 2), norm("shortcut.1")}}, ReLU{"relu5"},
		GlobalAvgPool{"pool"}, Dense{Name: "fc", Out: classes},
	}}
}

// TestTorchResidual compares with PyTorch what a network makes of images before and after
// three steps of training, the gradients of the first, and what the steps make of the
// network.
func TestTorchResidual(t *testing.T) {
	const path = "testdata/torch_residual.safetensors"
	n, err := LoadTorch(path, residualArch(5))
	if err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	compare := func(name string, got []float32, tol float64) {
		t.Helper()
		want := torchTensor(t, f, name).Data
		if len(got) != len(want) {
			t.Fatalf("%s: %d elements, want %d", name, len(got), len(want))
		}
		var worst, largest float64
		for i, v := range want {
			worst = max(worst, math.Abs(float64(got[i]-v)))
			largest = max(largest, math.Abs(float64(v)))
		}
		if !(worst <= tol*max(largest, 0.01)) { // the bias before a normalisation has none
			t.Errorf("%s: off by %g, where the largest is %g", name, worst, largest)
		}
	}
	labels, err := f.Get("labels")
	if err != nil {
		t.Fatal(err)
	}
	var batches []Batch
	for step := range 3 {
		b := Batch{X: torchTensor(t, f, "images."+string(rune('0'+step)))}
		for _, l := range labels.I64[step*b.X.N:][:b.X.N] {
			b.Labels = append(b.Labels, int(l))
		}
		batches = append(batches, b)
	}
	evaluate := func(prefix string) {
		taps := map[string]*Tensor{"relu1": nil, "relu3": nil, "shortcut.1": nil, "relu5": nil, "fc": nil}
		n.Forward(batches[0].X, taps)
		for name, got := range taps {
			compare(prefix+name, got.Data, 1e-5)
		}
	}
	evaluate("before.")

	c := n.Clone()
	c.gradients(pass{threads: 1, train: true}, batches[0])
	for _, p := range c.Params() {
		compare("gradient."+p.Name, p.Grad, 1e-5)
	}

	var losses []float32
	o := TrainOptions{Epochs: 1, BatchesPerEpoch: 3, Schedule: Constant(0.1), Momentum: 0.9, WeightDecay: 0.01}
	o.Progress = func(p Progress) { losses = append(losses, float32(p.Loss)) }
	if err := n.Train(context.Background(), sourceOf(batches...), o); err != nil {
		t.Fatal(err)
	}
	compare("losses", losses, 1e-5)
	for _, x := range n.tensors() {
		compare("trained."+x.Name, x.F32, 1e-5)
	}
	evaluate("after.")
}

// TestTapsOfFusedLayers: taps between layers whose work is done together change nothing.
func TestTapsOfFusedLayers(t *testing.T) {
	n := must(New(residualArch(2), 1))
	if err := n.Train(context.Background(), stripeSource(6), trainOptions(1)); err != nil {
		t.Fatal(err)
	}
	var x *Tensor
	for b := range stripeSource(1)(context.Background(), 1) {
		x = b.X
	}
	want := slices.Clone(n.Forward(x, nil).Data)
	taps := make(map[string]*Tensor)
	for _, d := range n.nodes {
		taps[d.layer.name()] = nil
	}
	if got := n.Forward(x, taps).Data; !slices.Equal(got, want) {
		t.Errorf("logits %v with taps, %v without", got, want)
	}
	for layer, relu := range map[string]string{"bn1": "relu1", "add3": "relu3", "add5": "relu5"} {
		negative := false
		for i, v := range taps[layer].Data {
			negative = negative || v < 0
			if taps[relu].Data[i] != max(v, 0) {
				t.Fatalf("%s is not the rectified %s", relu, layer)
			}
		}
		if !negative {
			t.Errorf("%s has no negative value: tapped after the ReLU?", layer)
		}
	}
	for i, v := range taps["add5"].Data {
		if want := taps["bn5"].Data[i] + taps["shortcut.1"].Data[i]; v != want {
			t.Fatalf("element %d of the sum is %v, want %v", i, v, want)
		}
	}
}

func TestResidualErrors(t *testing.T) {
	conv := Conv2D{Name: "conv1", Out: 4, Kernel: 3, Stride: 2, Pad: 1}
	for want, layers := range map[string][]Layer{
		`layer "add": no layer "later" comes before it`: {conv, Residual{Name: "add", From: "later"}, ReLU{"later"}},
		`layer "add": no layer "add" comes before it`:   {conv, Residual{Name: "add", From: "add"}},
		`layer "add": shape {8 8 3} of "relu" is not {4 4 4}, to which it is added`: {
			ReLU{"relu"}, conv, Residual{Name: "add", From: "relu"}},
		`layer "add": layer "projection": out 0`: {
			ReLU{"relu"}, conv, Residual{Name: "add", From: "relu", Shortcut: []Layer{Conv2D{Name: "projection", Kernel: 1, Stride: 2}}}},
		`the name "conv1" is empty or taken`: {
			ReLU{"relu"}, conv, Residual{Name: "add", From: "relu", Shortcut: []Layer{conv}}},
	} {
		_, err := New(Arch{Name: "x", Input: Shape{8, 8, 3}, Layers: layers, Classes: 2}, 1)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %s", err, want)
		}
	}
}
