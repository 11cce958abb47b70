package nn

import (
	"fmt"
	"math"
)

// Arch describes a network: its input, its layers in order, and how many
// classes its last layer tells apart.
type Arch struct {
	Name    string
	Input   Shape
	Layers  []Layer
	Classes int
}

// CaffeNet is the network of the paper: CaffeNet (AlexNet with normalisation
// after pooling) without groups, for 227 x 227 colour images and 1,000 classes,
// initialised as in Caffe.
func CaffeNet() Arch {
	bias := &Rate{LR: 2}
	conv := func(name string, out, kernel, stride, pad int, start float64) Layer {
		return Conv2D{Name: name, Out: out, Kernel: kernel, Stride: stride, Pad: pad, Init: Gaussian(0.01), BiasInit: start, Bias: bias}
	}
	dense := func(name string, out int, std, start float64) Layer {
		return Dense{Name: name, Out: out, Init: Gaussian(std), BiasInit: start, Bias: bias}
	}
	pool := func(name string) Layer { return MaxPool{Name: name, Kernel: 3, Stride: 2, Ceil: true} }
	return Arch{Name: "caffenet", Input: Shape{227, 227, 3}, Classes: 1000, Layers: []Layer{
		conv("conv1", 96, 11, 4, 0, 0), ReLU{"relu1"}, pool("pool1"), LRN{Name: "norm1"},
		conv("conv2", 256, 5, 1, 2, 1), ReLU{"relu2"}, pool("pool2"), LRN{Name: "norm2"},
		conv("conv3", 384, 3, 1, 1, 0), ReLU{"relu3"},
		conv("conv4", 384, 3, 1, 1, 1), ReLU{"relu4"},
		conv("conv5", 256, 3, 1, 1, 1), ReLU{"relu5"}, pool("pool5"),
		dense("fc6", 4096, 0.005, 1), ReLU{"relu6"}, Dropout{"drop6", 0.5},
		dense("fc7", 4096, 0.005, 1), ReLU{"relu7"}, Dropout{"drop7", 0.5},
		dense("fc8", 1000, 0.01, 0),
	}}
}

// CaffeNet32 is CaffeNet's relative for 32 x 32 colour images: the same five
// convolutions, poolings and normalisations, with smaller filters and fewer
// channels, and one hidden dense layer. Width multiplies the channels; 1 gives
// 32, 64, 96, 96 and 64.
func CaffeNet32(classes int, width float64) Arch {
	channels := func(n int) int { return max(1, int(math.Round(float64(n)*width))) }
	conv := func(name string, out, kernel int) Layer {
		return Conv2D{Name: name, Out: channels(out), Kernel: kernel, Pad: kernel / 2}
	}
	pool := func(name string) Layer { return MaxPool{Name: name, Kernel: 3, Stride: 2, Ceil: true} }
	return Arch{Name: fmt.Sprintf("caffenet32-w%g", width), Input: Shape{32, 32, 3}, Classes: classes, Layers: []Layer{
		conv("conv1", 32, 5), ReLU{"relu1"}, pool("pool1"), LRN{Name: "norm1"},
		conv("conv2", 64, 3), ReLU{"relu2"}, pool("pool2"), LRN{Name: "norm2"},
		conv("conv3", 96, 3), ReLU{"relu3"},
		conv("conv4", 96, 3), ReLU{"relu4"},
		conv("conv5", 64, 3), ReLU{"relu5"}, pool("pool5"),
		Dense{Name: "fc6", Out: channels(128)}, ReLU{"relu6"}, Dropout{"drop6", 0.25},
		Dense{Name: "fc7", Out: classes, Init: Gaussian(0.01)},
	}}
}
