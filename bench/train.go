package bench

import (
	"context"
	"fmt"
	"iter"
	"math"

	"github.com/convergent-go/convergent/nn"
)

// Train is a step of stochastic gradient descent with momentum on a batch of
// square images, the same in every step: forward, backward, update.
type Train struct {
	Name    string  `json:"name"`
	Batch   int     `json:"batch"` // images
	Size    int     `json:"size"`  // positions along an edge
	In      int     `json:"in"`    // channels
	Classes int     `json:"classes"`
	Layers  []Layer `json:"layers"`
}

// Layer is a layer of a network. Fields that it has no use for are 0.
type Layer struct {
	Layer  string `json:"layer"` // conv, dense, relu, maxpool or avgpool
	Out    int    `json:"out"`
	Kernel int    `json:"kernel"`
	Stride int    `json:"stride"`
	Pad    int    `json:"pad"`
	Ceil   bool   `json:"ceil"` // whether the number of windows is rounded up
}

// lossSteps is how many first steps from the same parameters have the losses that a
// training's results are compared by.
const lossSteps = 3

func (t Train) works() ([]Work, error) {
	if t.Batch < 1 {
		return nil, fmt.Errorf("train/%s: a batch of %d images", t.Name, t.Batch)
	}
	net, err := t.net()
	if err != nil {
		return nil, err
	}
	return []Work{{Name: "train/" + t.Name, Operations: t.operations(net), Images: t.Batch, Tolerance: 1e-4, Spec: t, start: t.start}}, nil
}

// operations counts convolutions and dense layers three times, forward and for
// both gradients, but the first only twice: images need no gradient.
func (t Train) operations(net *nn.Net) float64 {
	var sum float64
	params := net.Params()
	for i, l := range t.Layers {
		if l.Layer != "conv" && l.Layer != "dense" {
			continue
		}
		shape, _ := net.Shape(layerName(i))
		forward := 2 * float64(t.Batch*shape.H*shape.W) * float64(len(params[0].Data))
		if sum == 0 {
			sum -= forward
		}
		sum += 3 * forward
		params = params[2:] // weights and bias
	}
	return sum
}

func layerName(i int) string { return fmt.Sprint("layer", i) }

// net returns the network with the parameters that training begins from:
// weights uniform with variance 2 / fan-in, biases 0.
func (t Train) net() (*nn.Net, error) {
	arch := nn.Arch{Name: t.Name, Input: nn.Shape{H: t.Size, W: t.Size, C: t.In}, Classes: t.Classes}
	bias := &nn.Rate{LR: 1, Decay: 1} // all parameters decay, as peers have it
	for i, l := range t.Layers {
		name := layerName(i)
		switch l.Layer {
		case "conv":
			arch.Layers = append(arch.Layers, nn.Conv2D{Name: name, Out: l.Out, Kernel: l.Kernel, Stride: l.Stride, Pad: l.Pad, Bias: bias})
		case "dense":
			arch.Layers = append(arch.Layers, nn.Dense{Name: name, Out: l.Out, Bias: bias})
		case "relu":
			arch.Layers = append(arch.Layers, nn.ReLU{Name: name})
		case "maxpool":
			arch.Layers = append(arch.Layers, nn.MaxPool{Name: name, Kernel: l.Kernel, Stride: l.Stride, Pad: l.Pad, Ceil: l.Ceil})
		case "avgpool":
			arch.Layers = append(arch.Layers, nn.AvgPool{Name: name, Kernel: l.Kernel, Stride: l.Stride, Pad: l.Pad, Ceil: l.Ceil})
		default:
			return nil, fmt.Errorf("train/%s: no layer is called %q", t.Name, l.Layer)
		}
	}
	net, err := nn.New(arch, 0)
	if err != nil {
		return nil, err
	}
	for i, p := range net.Params() {
		if i%2 == 1 {
			continue // biases are 0 already
		}
		copy(p.Data, uniform(2+i/2, len(p.Data)))
		bound := float32(math.Sqrt(6 / float64(len(p.Data)/p.Shape[0])))
		for j := range p.Data {
			p.Data[j] *= bound
		}
	}
	return net, nil
}

func (t Train) start(threads int) (*Job, error) {
	net, err := t.net()
	if err != nil {
		return nil, err
	}
	net.Threads = threads
	batch := nn.Batch{X: nn.NewTensor(t.Batch, t.Size, t.Size, t.In), Labels: make([]int, t.Batch)}
	copy(batch.X.Data, uniform(1, len(batch.X.Data)))
	for i := range batch.Labels {
		batch.Labels[i] = i % t.Classes
	}
	source := func(context.Context, int) iter.Seq2[nn.Batch, error] {
		return func(yield func(nn.Batch, error) bool) { yield(batch, nil) }
	}
	var losses []float64
	options := nn.TrainOptions{
		Epochs: 1, BatchesPerEpoch: 1, Schedule: nn.Constant(0.001), Momentum: 0.9, WeightDecay: 5e-4,
		Progress: func(p nn.Progress) {
			if len(losses) < lossSteps {
				losses = append(losses, p.Loss)
			}
		},
	}
	step := func() error { return net.Train(context.Background(), source, options) }
	for range lossSteps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return &Job{Run: step, Results: func() [][]float64 { return [][]float64{losses} }}, nil
}
