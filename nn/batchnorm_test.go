package nn

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestBatchNorm compares with the formulas in float64, in training and outside, also for a
// channel whose mean is a thousand times its standard deviation and one that is constant.
func TestBatchNorm(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	x := NewTensor(5, 4, 3, 9)
	for i := range x.Data {
		x.Data[i] = float32(rnd.NormFloat64() * float64(1+i%9))
		switch i % 9 {
		case 7:
			x.Data[i] += 8000
		case 8:
			x.Data[i] = 3
		}
	}
	const momentum, eps = 0.25, 1e-3
	l := BatchNorm2D{Name: "bn", Momentum: momentum, Eps: eps}
	o := l.build(x.Shape(), nil).(*batchNormOp)
	for c := range x.C {
		o.gamma.Data[c], o.beta.Data[c] = float32(c-4), float32(2*c)
	}
	runningMean, runningVariance := make([]float64, x.C), slices.Repeat([]float64{1}, x.C)
	y := NewTensor(x.N, x.H, x.W, x.C)
	check := func(mean, variance []float64) {
		t.Helper()
		for i, v := range x.Data {
			c := i % x.C
			want := float64(c-4)*(float64(v)-mean[c])/math.Sqrt(variance[c]+eps) + float64(2*c)
			tol := 2e-6 * (1 + math.Abs(want) + math.Abs(float64(c-4)*mean[c])/math.Sqrt(variance[c]+eps))
			if math.Abs(float64(y.Data[i])-want) > tol {
				t.Fatalf("element %d is %v, want %v", i, y.Data[i], want)
			}
		}
	}
	for range 3 {
		mean, variance := make([]float64, x.C), make([]float64, x.C)
		n := float64(len(x.Data) / x.C)
		for i, v := range x.Data {
			mean[i%x.C] += float64(v) / n
		}
		for i, v := range x.Data {
			d := float64(v) - mean[i%x.C]
			variance[i%x.C] += d * d / n
		}
		o.forward(pass{threads: 2, train: true}, y, x)
		check(mean, variance)
		for c := range mean {
			runningMean[c] += momentum * (mean[c] - runningMean[c])
			runningVariance[c] += momentum * (variance[c]*n/(n-1) - runningVariance[c])
			if math.Abs(float64(o.mean[c])-runningMean[c]) > 1e-6*(1+math.Abs(mean[c])) || math.Abs(float64(o.variance[c])-runningVariance[c]) > 1e-6*(1+variance[c]) {
				t.Fatalf("channel %d: running mean %v and variance %v, want %v and %v", c, o.mean[c], o.variance[c], runningMean[c], runningVariance[c])
			}
		}
		for i := range x.Data {
			x.Data[i] *= 1.5
		}
	}
	before := slices.Clone(o.mean)
	o.forward(pass{threads: 2}, y, x)
	check(runningMean, runningVariance)
	if !slices.Equal(o.mean, before) {
		t.Error("the running mean moves outside training")
	}
}

// TestStatisticsInFiles: a network's file holds the running statistics, and one without
// them is refused.
func TestStatisticsInFiles(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "n.safetensors")
	n := must(New(residualArch(2), 1))
	if err := n.Train(ctx, stripeSource(6), trainOptions(1)); err != nil {
		t.Fatal(err)
	}
	if err := n.Save(path); err != nil {
		t.Fatal(err)
	}
	loaded, err := Load(path, residualArch(2))
	if err != nil {
		t.Fatal(err)
	}
	accuracy, loss, err := n.Evaluate(ctx, stripeSource(3))
	if a, l, e := loaded.Evaluate(ctx, stripeSource(3)); a != accuracy || l != loss || e != nil || err != nil {
		t.Errorf("a loaded network has accuracy %v and loss %v (%v), not %v and %v (%v)", a, l, e, accuracy, loss, err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const name = "shortcut.1.running_var"
	if err := os.WriteFile(path, bytes.Replace(data, []byte(name), []byte(strings.ToUpper(name)), 1), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path, residualArch(2)); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), name) {
		t.Errorf("without %s: %v", name, err)
	}
}

func TestOneValueHasNoVariance(t *testing.T) {
	a := Arch{Name: "one", Input: Shape{8, 8, 3}, Classes: 2, Layers: []Layer{
		GlobalAvgPool{"pool"}, BatchNorm2D{Name: "bn"}, Dense{Name: "fc", Out: 2},
	}}
	n := must(New(a, 1))
	b := Batch{NewTensor(1, 8, 8, 3), []int{0}}
	err := n.Train(context.Background(), sourceOf(b), TrainOptions{Epochs: 1, BatchesPerEpoch: 1})
	if err == nil || !strings.Contains(err.Error(), `"bn"`) {
		t.Errorf("got %v, want an error that names the layer", err)
	}
}
