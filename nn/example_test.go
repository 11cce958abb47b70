package nn_test

import (
	"context"
	"fmt"
	"iter"
	"log"

	"github.com/convergent-go/convergent/nn"
)

// Train a network to tell bright images from dark ones and look at the
// activations of a layer.
func Example() {
	arch := nn.Arch{Name: "tiny", Input: nn.Shape{H: 4, W: 4, C: 1}, Classes: 2, Layers: []nn.Layer{
		nn.Conv2D{Name: "conv1", Out: 3, Kernel: 3, Pad: 1}, nn.ReLU{Name: "relu1"},
		nn.Dense{Name: "fc", Out: 2},
	}}
	x, labels := nn.NewTensor(8, 4, 4, 1), make([]int, 8)
	for i := range labels {
		labels[i] = i % 2
		for j := range 16 {
			x.Data[i*16+j] = float32(labels[i])*2 - 1
		}
	}
	source := func(context.Context, int) iter.Seq2[nn.Batch, error] {
		return func(yield func(nn.Batch, error) bool) { yield(nn.Batch{X: x, Labels: labels}, nil) }
	}

	net, err := nn.New(arch, 1)
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	if err := net.Train(ctx, source, nn.TrainOptions{Epochs: 20, BatchesPerEpoch: 1}); err != nil {
		log.Fatal(err)
	}
	accuracy, _, err := net.Evaluate(ctx, source)
	if err != nil {
		log.Fatal(err)
	}
	taps := map[string]*nn.Tensor{"relu1": nil}
	net.Forward(x, taps)
	fmt.Printf("accuracy %.0f%%, relu1 is %d x %v\n", 100*accuracy, taps["relu1"].N, taps["relu1"].Shape())
	// Output: accuracy 100%, relu1 is 8 x {4 4 3}
}

// A residual block whose projection halves the image, with batch normalisation.
func ExampleResidual() {
	conv := func(name string, kernel, stride int) nn.Layer {
		return nn.Conv2D{Name: name, Out: 16, Kernel: kernel, Stride: stride, Pad: kernel / 2, NoBias: true}
	}
	net, err := nn.New(nn.Arch{Name: "block", Input: nn.Shape{H: 32, W: 32, C: 3}, Classes: 10, Layers: []nn.Layer{
		conv("conv1", 3, 1), nn.BatchNorm2D{Name: "bn1"}, nn.ReLU{Name: "relu1"},
		conv("conv2", 3, 2), nn.BatchNorm2D{Name: "bn2"}, nn.ReLU{Name: "relu2"},
		conv("conv3", 3, 1), nn.BatchNorm2D{Name: "bn3"},
		nn.Residual{Name: "add", From: "relu1", Shortcut: []nn.Layer{
			conv("projection", 1, 2), nn.BatchNorm2D{Name: "norm"},
		}}, nn.ReLU{Name: "relu3"},
		nn.GlobalAvgPool{Name: "pool"}, nn.Dense{Name: "fc", Out: 10},
	}}, 1)
	if err != nil {
		log.Fatal(err)
	}
	for _, layer := range []string{"projection", "conv3", "add"} {
		shape, _ := net.Shape(layer)
		size, stride, offset, err := net.ReceptiveField(layer)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s is %v and sees %d positions from %d on, every %d\n", layer, shape, size, offset, stride)
	}
	// Output:
	// projection is {16 16 16} and sees 3 positions from -1 on, every 2
	// conv3 is {16 16 16} and sees 9 positions from -4 on, every 2
	// add is {16 16 16} and sees 9 positions from -4 on, every 2
}
