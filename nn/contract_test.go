package nn

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// small has a layer with parameters, and running statistics.
func small(classes int) Arch {
	return Arch{Name: "small", Input: Shape{4, 4, 1}, Classes: classes, Layers: []Layer{
		Conv2D{Name: "conv", Out: 3, Kernel: 3}, BatchNorm2D{Name: "norm"}, ReLU{"relu"}, Dense{Name: "fc", Out: 2},
	}}
}

// once is a source of one batch of two images.
func once(labels ...int) Source {
	return func(context.Context, int) iter.Seq2[Batch, error] {
		return func(yield func(Batch, error) bool) {
			x := NewTensor(2, 4, 4, 1)
			for i := range x.Data {
				x.Data[i] = float32(i%7) - 3
			}
			yield(Batch{X: x, Labels: labels}, nil)
		}
	}
}

// TestStreams: what a network writes to a stream is its file, and is read again.
func TestStreams(t *testing.T) {
	n, err := New(small(2), 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Train(context.Background(), once(0, 1), TrainOptions{Epochs: 2, BatchesPerEpoch: 1}); err != nil {
		t.Fatal(err)
	}
	var stream bytes.Buffer
	size, err := n.WriteTo(&stream)
	if err != nil || size != int64(stream.Len()) {
		t.Fatal(size, err)
	}
	if err := n.WriteState(&stream, 2); err != nil {
		t.Fatal(err)
	}
	all := bytes.Clone(stream.Bytes())
	path := filepath.Join(t.TempDir(), "net.safetensors")
	if err := n.Save(path); err != nil {
		t.Fatal(err)
	}
	read, err := Read(&stream, small(2))
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := Load(path, small(2))
	if err != nil {
		t.Fatal(err)
	}
	state, epochs, err := ReadState(&stream, small(2))
	if err != nil || epochs != 2 || stream.Len() != 0 {
		t.Fatalf("%d epochs, %d bytes are left: %v", epochs, stream.Len(), err)
	}
	for name, got := range map[string]*Net{"stream": read, "file": loaded, "state": state} {
		var b bytes.Buffer
		if _, err := got.WriteTo(&b); err != nil || !bytes.Equal(b.Bytes(), all[:size]) {
			t.Errorf("%s: another network: %v", name, err)
		}
	}
	for i, p := range state.Params() {
		if !slices.Equal(p.velocity, n.Params()[i].velocity) {
			t.Errorf("%s: another momentum", p.Name)
		}
	}
	if _, err := Read(strings.NewReader("no network"), small(2)); err == nil {
		t.Error("a network is read of no safetensors")
	}
}

// TestLabels: a label that is no class is an error that says where.
func TestLabels(t *testing.T) {
	n, err := New(small(2), 3)
	if err != nil {
		t.Fatal(err)
	}
	const want = "nn: epoch 1, batch 1, image 1: label 2 is none of 2 classes"
	if err := n.Train(context.Background(), once(0, 2), TrainOptions{Epochs: 1, BatchesPerEpoch: 1}); err == nil || err.Error() != want {
		t.Errorf("Train: %v", err)
	}
	if _, _, err := n.Evaluate(context.Background(), once(1, 2)); err == nil || err.Error() != want {
		t.Errorf("Evaluate: %v", err)
	}
}

// TestNoClassifier: a network without classes gives features, and is not trained.
func TestNoClassifier(t *testing.T) {
	a := small(0)
	a.Layers = a.Layers[:3]
	n, err := New(a, 3)
	if err != nil {
		t.Fatal(err)
	}
	if out := n.Forward(NewTensor(5, 4, 4, 1), nil); out.N != 5 || out.Shape() != (Shape{2, 2, 3}) {
		t.Errorf("features of shape %d x %v", out.N, out.Shape())
	}
	if err := n.Train(context.Background(), once(0, 1), TrainOptions{Epochs: 1, BatchesPerEpoch: 1}); err == nil {
		t.Error("it is trained")
	}
	if _, _, err := n.Evaluate(context.Background(), once(0, 1)); err == nil {
		t.Error("it is evaluated")
	}
}

// TestBadLayers: nil, and pointers, of which a residual's shortcut would be passed over.
func TestBadLayers(t *testing.T) {
	for _, l := range []Layer{nil, &ReLU{"relu2"}, (*Conv2D)(nil), &Residual{Name: "add", From: "relu"}} {
		a := small(2)
		a.Layers = slices.Insert(a.Layers, 3, l)
		if _, err := New(a, 1); err == nil || !strings.Contains(err.Error(), "layer 3 is a ") {
			t.Errorf("%T: error %v", l, err)
		}
	}
}

// TestOwnMessages: panics and errors are this package's.
func TestOwnMessages(t *testing.T) {
	x, l := NewTensor(1, 4, 4, 2), Conv2D{Out: 3, Kernel: 3}
	for name, f := range map[string]func(){
		"weights": func() { Convolve(nil, l, x, make([]float32, 53), nil, 1) },
		"bias":    func() { Convolve(nil, l, x, make([]float32, 54), make([]float32, 2), 1) },
		"input":   func() { Convolve(nil, l, &Tensor{1, 4, 4, 2, make([]float32, 31)}, make([]float32, 54), nil, 1) },
		"dst":     func() { Convolve(&Tensor{1, 2, 2, 3, make([]float32, 11)}, l, x, make([]float32, 54), nil, 1) },
		"filters": func() { Convolve(nil, Conv2D{Out: 3, Kernel: 9}, x, nil, nil, 1) },
	} {
		func() {
			defer func() {
				if s, ok := recover().(string); !ok || !strings.HasPrefix(s, "nn: ") {
					t.Errorf("%s: panic %q", name, s)
				}
			}()
			f()
		}()
	}
	var e *ActivationError
	_, err := TrainMapping(context.Background(), 2, []float32{1, 2, 3, float32(math.NaN())}, 2, []float32{1, 2}, 1, MappingOptions{})
	if !errors.As(err, &e) || e.Row != 1 || e.Unit != 1 || !strings.HasPrefix(err.Error(), "nn: inputs: row 1, unit 1") {
		t.Errorf("error %v", err)
	}
}
