package nn

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/convergent-go/convergent/asm"
)

func TestCaffeNet(t *testing.T) {
	a := CaffeNet()
	shapes, in := map[string]Shape{}, a.Input
	weights := 0
	for _, l := range a.Layers {
		out, err := l.output(in)
		if err != nil {
			t.Fatal(err)
		}
		switch l := l.(type) {
		case Conv2D:
			weights += l.Out*l.Kernel*l.Kernel*in.C + l.Out
		case Dense:
			weights += l.Out*in.Size() + l.Out
		}
		shapes[l.name()], in = out, out
	}
	for name, want := range map[string]Shape{
		"conv1": {55, 55, 96}, "pool1": {27, 27, 96}, "conv2": {27, 27, 256}, "pool2": {13, 13, 256},
		"conv3": {13, 13, 384}, "conv4": {13, 13, 384}, "conv5": {13, 13, 256}, "pool5": {6, 6, 256}, "fc8": {1, 1, 1000},
	} {
		if shapes[name] != want {
			t.Errorf("%s is %v, want %v", name, shapes[name], want)
		}
	}
	// AlexNet in one column: 62,378,344 parameters.
	if weights != 62378344 {
		t.Errorf("%d parameters, want 62378344", weights)
	}
}

// TestNewerArchs compares with the sizes of the publications; ResNet-20 with projections
// has 272,474 parameters in PyTorch.
func TestNewerArchs(t *testing.T) {
	for _, c := range []struct {
		arch       Arch
		parameters int
		shapes     map[string]Shape
	}{
		{Tiny10(10, 1), 86458, map[string]Shape{
			"relu1": {32, 32, 16}, "relu2": {32, 32, 16}, "relu3": {16, 16, 32}, "relu5": {16, 16, 32},
			"relu6": {8, 8, 64}, "relu7": {6, 6, 64}, "relu8": {6, 6, 64}, "pool": {1, 1, 64}, "fc": {1, 1, 10}}},
		{ResNet20(10, 1), 272474, map[string]Shape{
			"relu1": {32, 32, 16}, "layer1.2.relu2": {32, 32, 16}, "layer2.0.downsample.1": {16, 16, 32},
			"layer2.2.relu2": {16, 16, 32}, "layer3.2.relu2": {8, 8, 64}, "avgpool": {1, 1, 64}}},
	} {
		n := must(New(c.arch, 1))
		parameters := 0
		for _, p := range n.Params() {
			parameters += len(p.Data)
			if weights := len(p.Shape) > 1; weights != (p.DecayMult == 1) {
				t.Errorf("%s: %s decays by %v", c.arch.Name, p.Name, p.DecayMult)
			}
		}
		if parameters != c.parameters {
			t.Errorf("%s has %d parameters, want %d", c.arch.Name, parameters, c.parameters)
		}
		for layer, want := range c.shapes {
			if got, _ := n.Shape(layer); got != want {
				t.Errorf("%s: %s is %v, want %v", c.arch.Name, layer, got, want)
			}
		}
	}
}

func TestReceptiveField(t *testing.T) {
	n := must(New(CaffeNet32(10, 0.25), 1))
	for _, c := range []struct {
		layer                string
		size, stride, offset int
	}{{"conv1", 5, 1, -2}, {"relu1", 5, 1, -2}, {"pool1", 7, 2, -2}, {"conv2", 11, 2, -4}, {"conv3", 23, 4, -8}, {"conv5", 39, 4, -16}} {
		size, stride, offset, err := n.ReceptiveField(c.layer)
		if err != nil || size != c.size || stride != c.stride || offset != c.offset {
			t.Errorf("%s: %d, %d, %d, %v; want %+v", c.layer, size, stride, offset, err, c)
		}
	}
	for _, layer := range []string{"fc6", "fc7", "conv9"} {
		if _, _, _, err := n.ReceptiveField(layer); err == nil {
			t.Errorf("%s: no error", layer)
		}
	}

	// A sum has the field of its wider term; a projection sees what stride 2 leaves.
	n = must(New(residualArch(2), 1))
	for _, c := range []struct {
		layer                string
		size, stride, offset int
	}{{"relu1", 3, 1, -1}, {"relu3", 7, 1, -3}, {"shortcut.1", 7, 2, -3}, {"conv4", 9, 2, -4}, {"relu5", 13, 2, -6}} {
		size, stride, offset, err := n.ReceptiveField(c.layer)
		if err != nil || size != c.size || stride != c.stride || offset != c.offset {
			t.Errorf("%s: %d, %d, %d, %v; want %+v", c.layer, size, stride, offset, err, c)
		}
	}
	uneven := must(New(Arch{Name: "uneven", Input: Shape{5, 5, 1}, Classes: 4, Layers: []Layer{
		ReLU{"relu"}, Conv2D{Name: "conv", Out: 1, Kernel: 1, Stride: 3},
		Residual{Name: "add", From: "relu", Shortcut: []Layer{Conv2D{Name: "projection", Out: 1, Kernel: 1, Stride: 4}}},
	}}, 1))
	if _, _, _, err := uneven.ReceptiveField("add"); err == nil || !strings.Contains(err.Error(), "spaced") {
		t.Errorf("terms of different strides: %v", err)
	}
}

// must returns the network, or panics.
func must(n *Net, err error) *Net {
	if err != nil {
		panic(err)
	}
	return n
}

// smallArch is a network that trains in no time.
func smallArch() Arch {
	return Arch{Name: "small", Input: Shape{8, 8, 3}, Classes: 2, Layers: []Layer{
		Conv2D{Name: "conv1", Out: 6, Kernel: 3, Pad: 1}, ReLU{"relu1"}, MaxPool{Name: "pool1", Kernel: 3, Stride: 2, Ceil: true}, LRN{Name: "norm1"},
		Dense{Name: "fc", Out: 8}, ReLU{"relu2"}, Dropout{"drop", 0.1}, Dense{Name: "out", Out: 2},
	}}
}

// stripeSource yields images of horizontal and vertical stripes in noise; the last
// batch of an epoch is smaller.
func stripeSource(batches int) Source {
	return func(ctx context.Context, epoch int) iter.Seq2[Batch, error] {
		return func(yield func(Batch, error) bool) {
			rnd := rand.New(rand.NewPCG(7, uint64(epoch)))
			for b := range batches {
				n := 16
				if b == batches-1 {
					n = 5
				}
				x, labels := NewTensor(n, 8, 8, 3), make([]int, n)
				for i := range labels {
					labels[i] = rnd.IntN(2)
					for j := range x.image(i) {
						at := []int{j / 24, j / 3 % 8}[labels[i]]
						x.image(i)[j] = float32(at%2)*2 - 1 + float32(rnd.NormFloat64())
					}
				}
				if !yield(Batch{x, labels}, ctx.Err()) {
					return
				}
			}
		}
	}
}

// sourceOf yields the same batches in every epoch.
func sourceOf(batches ...Batch) Source {
	return func(ctx context.Context, _ int) iter.Seq2[Batch, error] {
		return func(yield func(Batch, error) bool) {
			for _, b := range batches {
				if !yield(b, ctx.Err()) {
					return
				}
			}
		}
	}
}

// trainOptions trains on 6 batches an epoch.
func trainOptions(epochs int) TrainOptions {
	return TrainOptions{Epochs: epochs, BatchesPerEpoch: 6, Schedule: OneCycle(0.05), Seed: 3}
}

func TestTrainLearns(t *testing.T) {
	for _, a := range []Arch{smallArch(), residualArch(2)} {
		t.Run(a.Name, func(t *testing.T) { checkLearns(t, a) })
	}
}

func checkLearns(t *testing.T, a Arch) {
	n := must(New(a, 1))
	ctx := context.Background()
	before, _, err := n.Evaluate(ctx, stripeSource(10))
	if err != nil {
		t.Fatal(err)
	}
	var last Progress
	o := trainOptions(8)
	o.Progress = func(p Progress) { last = p }
	if err := n.Train(ctx, stripeSource(6), o); err != nil {
		t.Fatal(err)
	}
	after, loss, err := n.Evaluate(ctx, stripeSource(10))
	if err != nil || after < 0.95 || loss > 0.3 {
		t.Errorf("accuracy %v before, %v after, loss %v, %v", before, after, loss, err)
	}
	if last.Step != 48 || last.Steps != 48 || last.Epoch != 7 {
		t.Errorf("last progress %+v", last)
	}
}

// digests are those of trained networks' files, the same on every machine and tier. A change
// of the arithmetic that is meant, in layers, convolutions or elementary functions, changes
// them too.
var digests = []struct {
	arch   Arch
	digest string
}{{smallArch(), "a242fe9e77e768f8"}, {residualArch(2), "f36c6baf5bd731de"}}

// saved returns a network's file.
func saved(t *testing.T, n *Net) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "net.safetensors")
	if err := n.Save(path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// trained returns the file of a network of three epochs.
func trained(t *testing.T, a Arch, threads int, seed uint64) []byte {
	t.Helper()
	n := must(New(a, seed))
	n.Threads = threads
	if err := n.Train(context.Background(), stripeSource(6), trainOptions(3)); err != nil {
		t.Fatal(err)
	}
	return saved(t, n)
}

// TestSameBytes: neither threads nor a stop in between change a network, and
// another seed does.
func TestSameBytes(t *testing.T) {
	for _, c := range digests {
		t.Run(c.arch.Name, func(t *testing.T) { checkSameBytes(t, c.arch, c.digest) })
	}
}

func checkSameBytes(t *testing.T, a Arch, digest string) {
	want := trained(t, a, 1, 1)
	if got := fmt.Sprintf("%x", sha256.Sum256(want))[:16]; got != digest {
		t.Errorf("the trained network's digest is %s", got)
	}
	for _, threads := range []int{2, 3, 0} {
		if !bytes.Equal(trained(t, a, threads, 1), want) {
			t.Fatalf("threads=%d gives other bytes", threads)
		}
	}
	if bytes.Equal(trained(t, a, 1, 2), want) {
		t.Error("another seed gives the same bytes")
	}

	n := must(New(a, 1))
	ctx, state := context.Background(), filepath.Join(t.TempDir(), "state.safetensors")
	stop := errors.New("stop")
	o := trainOptions(3)
	o.AfterEpoch = func(epoch int) error {
		if err := n.SaveState(state, epoch+1); err != nil {
			return err
		}
		return stop
	}
	if err := n.Train(ctx, stripeSource(6), o); !errors.Is(err, stop) {
		t.Fatalf("got %v", err)
	}
	n, epochs, err := LoadState(state, a)
	if err != nil || epochs != 1 {
		t.Fatalf("LoadState: %d, %v", epochs, err)
	}
	o.StartEpoch, o.AfterEpoch = epochs, nil
	if err := n.Train(ctx, stripeSource(6), o); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(saved(t, n), want) {
		t.Error("a network whose training was stopped and went on differs")
	}
}

// TestTiers trains in processes of every tier, to the same bytes.
func TestTiers(t *testing.T) {
	check := func() {
		for _, c := range digests {
			if got := fmt.Sprintf("%x", sha256.Sum256(trained(t, c.arch, 3, 1)))[:16]; got != c.digest {
				t.Errorf("%s: the trained network's digest is %s", c.arch.Name, got)
			}
		}
	}
	if os.Getenv("NN_TEST_TIER") != "" {
		check()
		return
	}
	for _, tier := range asm.Supported() {
		cmd := exec.Command(os.Args[0], "-test.run=^TestTiers$")
		cmd.Env = append(os.Environ(), "NN_TEST_TIER=1", "CONVERGENT_CPU="+tier.String())
		out, err := cmd.CombinedOutput()
		if errors.Is(err, syscall.ENOEXEC) { // emulated, and cannot run itself
			check()
			return
		}
		if err != nil {
			t.Errorf("%v: %v\n%s", tier, err, out)
		}
	}
}

func TestTrainStops(t *testing.T) {
	n := must(New(smallArch(), 1))
	ctx, cancel := context.WithCancel(context.Background())
	o := trainOptions(100)
	o.Progress = func(p Progress) {
		if p.Step == 3 {
			cancel()
		}
	}
	if err := n.Train(ctx, stripeSource(6), o); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
	o = trainOptions(50)
	o.Schedule = Constant(1e6)
	var diverged *DivergedError
	if err := n.Train(context.Background(), stripeSource(6), o); !errors.As(err, &diverged) || diverged.Rate != 1e6 {
		t.Errorf("got %v, want a DivergedError", err)
	}
	if err := n.Train(context.Background(), stripeSource(7), trainOptions(1)); err == nil {
		t.Error("more batches than announced: no error")
	}
	if err := n.Train(context.Background(), stripeSource(5), trainOptions(1)); err == nil {
		t.Error("fewer batches than announced: no error")
	}
	if err := n.Train(context.Background(), stripeSource(7), TrainOptions{Epochs: 1}); err == nil {
		t.Error("no BatchesPerEpoch: no error")
	}
}

// TestCancelIsNoCheckpoint: an epoch cut short is not reported as done, even by
// a source that just ends.
func TestCancelIsNoCheckpoint(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	o := trainOptions(2)
	o.Progress = func(p Progress) {
		if p.Step == o.BatchesPerEpoch {
			cancel()
		}
	}
	o.AfterEpoch = func(int) error {
		t.Error("AfterEpoch called")
		return nil
	}
	if err := must(New(smallArch(), 1)).Train(ctx, stripeSource(6), o); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestBatchesOfAnySize: an image's logits do not depend on its company.
func TestBatchesOfAnySize(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	all := NewTensor(7, 8, 8, 3)
	for i := range all.Data {
		all.Data[i] = float32(rnd.NormFloat64())
	}
	normalised := Arch{Name: "normalised", Input: Shape{8, 8, 3}, Classes: 2, Layers: []Layer{
		Conv2D{Name: "conv1", Out: 6, Kernel: 3}, BatchNorm2D{Name: "bn"}, ReLU{"relu"}, GlobalAvgPool{"pool"}, Dense{Name: "fc", Out: 2},
	}}
	for _, a := range []Arch{smallArch(), normalised} {
		n := must(New(a, 1))
		want := slices.Clone(n.Forward(all, nil).Data)
		for _, part := range [][2]int{{0, 1}, {1, 3}, {3, 7}, {0, 7}} {
			count := part[1] - part[0]
			x := &Tensor{N: count, H: 8, W: 8, C: 3, Data: all.Data[part[0]*192 : part[1]*192]}
			if got := n.Forward(x, nil); got.N != count || !slices.Equal(got.Data, want[part[0]*2:part[1]*2]) {
				t.Errorf("%s, images %v: %v, and in a larger batch %v", a.Name, part, got.Data, want[part[0]*2:part[1]*2])
			}
		}
	}
}

// TestStepsReuseMemory allows each step some bookkeeping, but not memory the
// size of activations: 16 images of 16 x 16 x 8 are 128 KB a layer.
func TestStepsReuseMemory(t *testing.T) {
	n := must(New(Arch{Name: "wide", Input: Shape{16, 16, 8}, Classes: 2, Layers: []Layer{
		ReLU{"relu"}, LRN{Name: "norm"}, BatchNorm2D{Name: "bn"}, Residual{Name: "add", From: "relu"}, Dropout{"drop", 0.5}, AvgPool{Name: "mean", Kernel: 1, Stride: 1},
		MaxPool{Name: "max", Kernel: 8, Stride: 8}, Dense{Name: "fc", Out: 2},
	}}, 1))
	b := Batch{NewTensor(16, 16, 16, 8), make([]int, 16)}
	var before, after runtime.MemStats
	const steps = 20
	for step := range steps + 1 {
		if step == 1 {
			runtime.ReadMemStats(&before)
		}
		n.gradients(pass{threads: 1, train: true, step: step}, b)
	}
	runtime.ReadMemStats(&after)
	if perStep := (after.TotalAlloc - before.TotalAlloc) / steps; perStep > 16<<10 {
		t.Errorf("a step allocates %d bytes", perStep)
	}
}

func TestClone(t *testing.T) {
	ctx := context.Background()
	firstHalf, full := trainOptions(2), trainOptions(2)
	stop := errors.New("stop")
	firstHalf.AfterEpoch = func(int) error { return stop }
	n, want := must(New(residualArch(2), 1)), must(New(residualArch(2), 1))
	if err := n.Train(ctx, stripeSource(6), firstHalf); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	c := n.Clone()
	before := n.Clone().tensors()
	secondHalf := trainOptions(2)
	secondHalf.StartEpoch = 1
	if err := errors.Join(c.Train(ctx, stripeSource(6), secondHalf), want.Train(ctx, stripeSource(6), full)); err != nil {
		t.Fatal(err)
	}
	for i, x := range want.tensors() {
		if !slices.Equal(c.tensors()[i].F32, x.F32) {
			t.Errorf("%s: a clone trains differently", x.Name)
		}
		if !slices.Equal(n.tensors()[i].F32, before[i].F32) {
			t.Errorf("%s: training a clone changes its original", x.Name)
		}
	}
}

// TestSeeds: a layer's start depends on the seed and its place alone.
func TestSeeds(t *testing.T) {
	other := smallArch()
	other.Layers[4] = Dense{Name: "fc", Out: 9}
	a, b, c := must(New(smallArch(), 1)), must(New(other, 1)), must(New(smallArch(), 2))
	if !slices.Equal(a.Params()[0].Data, b.Params()[0].Data) {
		t.Error("a later layer changes the start of conv1")
	}
	if slices.Equal(a.Params()[0].Data, c.Params()[0].Data) {
		t.Error("another seed gives the same conv1")
	}
}

func TestForwardTaps(t *testing.T) {
	n := must(New(smallArch(), 1))
	x := NewTensor(3, 8, 8, 3)
	for i := range x.Data {
		x.Data[i] = float32(i%7) - 3
	}
	relu1 := NewTensor(3, 8, 8, 6)
	taps := map[string]*Tensor{"conv1": nil, "relu1": relu1, "out": nil}
	logits := n.Forward(x, taps)
	if taps["relu1"] != relu1 {
		t.Error("the tensor given was not used")
	}
	negative := false
	for i, v := range taps["conv1"].Data {
		negative = negative || v < 0
		if relu1.Data[i] != max(v, 0) {
			t.Fatal("relu1 is not the rectified conv1")
		}
	}
	if !negative {
		t.Error("conv1 has no negative value: tapped after the ReLU?")
	}
	for i, v := range logits.Data {
		if taps["out"].Data[i] != v {
			t.Fatal("the last tap is not the logits")
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("unknown tap: no panic")
		}
	}()
	n.Forward(x, map[string]*Tensor{"nowhere": nil})
}

func TestSGD(t *testing.T) {
	p := &Param{Data: []float32{1, -2}, Grad: []float32{0.5, 0.25}, LRMult: 2, DecayMult: 0.5}
	w, v := []float64{1, -2}, []float64{0, 0}
	for range 3 {
		p.update(2, 0.1, 0.9, 0.01)
		for i := range w {
			v[i] = 0.9*v[i] + 0.1*2*(float64(p.Grad[i])+0.01*0.5*w[i])
			w[i] -= v[i]
			if math.Abs(float64(p.Data[i])-w[i]) > 1e-6 {
				t.Fatalf("weight %d is %v, want %v", i, p.Data[i], w[i])
			}
		}
	}
}

func TestSchedules(t *testing.T) {
	s := Step(0.1, 0.5, 10)
	for step, want := range map[int]float64{0: 0.1, 9: 0.1, 10: 0.05, 25: 0.025} {
		if got := s(step, 100); math.Abs(got-want) > 1e-15 {
			t.Errorf("Step at %d is %v, want %v", step, got, want)
		}
	}
	c := OneCycle(1)
	top := 0
	for step := range 100 {
		if c(step, 100) > c(top, 100) {
			top = step
		}
		if r := c(step, 100); r <= 0 || r > 1 {
			t.Errorf("OneCycle at %d is %v", step, r)
		}
	}
	if top < 23 || top > 26 || c(99, 100) > 0.01 || c(0, 100) > 0.1 {
		t.Errorf("OneCycle peaks at %d; ends %v and %v", top, c(0, 100), c(99, 100))
	}
}

func TestInitialisers(t *testing.T) {
	for name, c := range map[string]struct {
		in   Init
		want float64
	}{"msra": {Init{}, math.Sqrt(2. / 50)}, "xavier": {Xavier(), math.Sqrt(1. / 50)}, "gaussian": {Gaussian(0.3), 0.3}} {
		w := make([]float32, 50_001)
		c.in.fill(w, 50, rand.New(rand.NewPCG(1, 1)))
		var mean, square float64
		for _, v := range w {
			mean += float64(v) / float64(len(w))
			square += float64(v) * float64(v) / float64(len(w))
		}
		if math.Abs(mean) > 0.02*c.want || math.Abs(math.Sqrt(square)-c.want) > 0.02*c.want {
			t.Errorf("%s: mean %v, root mean square %v, want 0 and %v", name, mean, math.Sqrt(square), c.want)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "n.safetensors")
	n := must(New(smallArch(), 1))
	if err := n.Save(path); err != nil {
		t.Fatal(err)
	}
	got, err := Load(path, smallArch())
	if err != nil || got.Seed() != 1 {
		t.Fatal(got, err)
	}
	other := smallArch()
	other.Layers[0] = Conv2D{Name: "conv1", Out: 7, Kernel: 3, Pad: 1}
	if _, err := Load(path, other); err == nil || !strings.Contains(err.Error(), "conv1.weight") || !strings.Contains(err.Error(), path) {
		t.Errorf("another architecture: %v", err)
	}
	renamed := smallArch()
	renamed.Name = "large"
	if _, err := Load(path, renamed); err == nil || !strings.Contains(err.Error(), "large") {
		t.Errorf("an architecture of another name: %v", err)
	}
	if _, _, err := LoadState(path, smallArch()); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a network as a state: %v", err)
	}
	n.Params()[1].Data[2] = float32(math.Inf(-1))
	broken := filepath.Join(t.TempDir(), "broken.safetensors")
	if err := n.Save(broken); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(broken, smallArch()); err == nil || !strings.Contains(err.Error(), broken) || !strings.Contains(err.Error(), n.Params()[1].Name+`": element 2 is -Inf`) {
		t.Errorf("an infinite weight: %v", err)
	}
	data, _ := os.ReadFile(path)
	os.WriteFile(path, data[:len(data)/2], 0o666)
	if _, err := Load(path, smallArch()); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a file cut short: %v", err)
	}
}

// TestTapsAroundReLU: a tap before a ReLU that works in place is of its input, one after it
// of its output, and both are the bits that each is alone.
func TestTapsAroundReLU(t *testing.T) {
	a := Arch{Name: "taps", Input: Shape{H: 5, W: 5, C: 3}, Classes: 2, Layers: []Layer{
		Conv2D{Name: "conv", Out: 4, Kernel: 3, Stride: 1, Pad: 1}, BatchNorm2D{Name: "norm"}, ReLU{"relu"}, Dense{Name: "logits", Out: 2},
	}}
	n, err := New(a, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got := n.Input("relu"); got != "norm" || n.Input("conv") != "" {
		t.Errorf("the ReLU reads %q, the convolution %q", got, n.Input("conv"))
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	x := &Tensor{N: 2, H: 5, W: 5, C: 3}
	for range 2 * 5 * 5 * 3 {
		x.Data = append(x.Data, float32(rnd.NormFloat64()))
	}
	both, alone := map[string]*Tensor{"norm": nil, "relu": nil}, map[string]*Tensor{"relu": nil}
	n.Forward(x, both)
	n.Forward(x, alone)
	negative := 0
	for i, z := range both["norm"].Data {
		if z < 0 {
			negative++
		}
		if got := both["relu"].Data[i]; got != max(0, z) || got != alone["relu"].Data[i] {
			t.Fatalf("element %d: %v of %v, alone %v", i, got, z, alone["relu"].Data[i])
		}
	}
	if negative == 0 {
		t.Error("no input of the ReLU is below 0")
	}
}
