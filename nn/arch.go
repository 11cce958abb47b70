package nn

import (
	"fmt"
	"math"
)

// Arch describes a network: its input, its layers in order, and the number of its
// classes. One without classes gives features, and is neither trained nor evaluated: its
// parameters are drawn or loaded.
type Arch struct {
	Name    string
	Input   Shape // of one image
	Layers  []Layer
	Classes int // outputs of the last layer; 0: it is no classifier
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
	conv := func(name string, out, kernel int) Layer {
		return Conv2D{Name: name, Out: channels(out, width), Kernel: kernel, Pad: kernel / 2}
	}
	pool := func(name string) Layer { return MaxPool{Name: name, Kernel: 3, Stride: 2, Ceil: true} }
	return Arch{Name: fmt.Sprintf("caffenet32-w%g", width), Input: Shape{32, 32, 3}, Classes: classes, Layers: []Layer{
		conv("conv1", 32, 5), ReLU{"relu1"}, pool("pool1"), LRN{Name: "norm1"},
		conv("conv2", 64, 3), ReLU{"relu2"}, pool("pool2"), LRN{Name: "norm2"},
		conv("conv3", 96, 3), ReLU{"relu3"},
		conv("conv4", 96, 3), ReLU{"relu4"},
		conv("conv5", 64, 3), ReLU{"relu5"}, pool("pool5"),
		Dense{Name: "fc6", Out: channels(128, width)}, ReLU{"relu6"}, Dropout{"drop6", 0.25},
		Dense{Name: "fc7", Out: classes, Init: Gaussian(0.01)},
	}}
}

// channels returns n channels times the width.
func channels(n int, width float64) int { return max(1, int(math.Round(float64(n)*width))) }

// Tiny10 is the network of ten layers whose layers Kornblith et al. find again in networks
// from other seeds ("Similarity of Neural Network Representations Revisited", ICML 2019,
// appendix), for 32 x 32 colour images: eight convolutions with batch normalisation and
// ReLU, conv1 to relu8, global average pooling, and the logits. Width multiplies the
// channels; 1 gives 16, 16, 32, 32, 32, 64, 64 and 64.
func Tiny10(classes int, width float64) Arch {
	var layers []Layer
	for i, c := range []Conv2D{
		{Out: 16, Kernel: 3, Pad: 1}, {Out: 16, Kernel: 3, Pad: 1},
		{Out: 32, Kernel: 3, Pad: 1, Stride: 2}, {Out: 32, Kernel: 3, Pad: 1}, {Out: 32, Kernel: 3, Pad: 1},
		{Out: 64, Kernel: 3, Pad: 1, Stride: 2}, {Out: 64, Kernel: 3}, {Out: 64, Kernel: 1},
	} {
		c.Name, c.Out, c.NoBias = fmt.Sprintf("conv%d", i+1), channels(c.Out, width), true
		layers = append(layers, c, BatchNorm2D{Name: fmt.Sprintf("bn%d", i+1)}, ReLU{fmt.Sprintf("relu%d", i+1)})
	}
	return Arch{Name: fmt.Sprintf("tiny10-w%g", width), Input: Shape{32, 32, 3}, Classes: classes,
		Layers: append(layers, GlobalAvgPool{"pool"}, Dense{Name: "fc", Out: classes})}
}

// ResNet20 is the residual network of 20 layers for 32 x 32 colour images (He et al.,
// CVPR 2016, section 4.2): a convolution, three stages of three basic blocks, global
// average pooling, and the logits. Width multiplies the channels of the stages; 1 gives
// 16, 32 and 64.
//
// Where a stage begins with fewer positions and more channels, the shortcut is a 1 x 1
// convolution of stride 2 with batch normalisation: option B, which is common now; the
// paper's networks for CIFAR-10 had option A, zeros for the channels that are missing.
// The names are those of torchvision's modules, layer1.0.conv1 to layer3.2.bn2, and
// relu1, add and relu2 within a block, whose output is layer1.0.relu2.
func ResNet20(classes int, width float64) Arch {
	conv := func(name string, out, kernel, stride int) Layer {
		return Conv2D{Name: name, Out: channels(out, width), Kernel: kernel, Stride: stride, Pad: kernel / 2, NoBias: true}
	}
	layers := []Layer{conv("conv1", 16, 3, 1), BatchNorm2D{Name: "bn1"}, ReLU{"relu1"}}
	last := "relu1"
	for stage, out := range []int{16, 32, 64} {
		for block := range 3 {
			name := func(part string) string { return fmt.Sprintf("layer%d.%d.%s", stage+1, block, part) }
			stride, shortcut := 1, []Layer(nil)
			if stage > 0 && block == 0 {
				stride = 2
				shortcut = []Layer{conv(name("downsample.0"), out, 1, 2), BatchNorm2D{Name: name("downsample.1")}}
			}
			layers = append(layers,
				conv(name("conv1"), out, 3, stride), BatchNorm2D{Name: name("bn1")}, ReLU{name("relu1")},
				conv(name("conv2"), out, 3, 1), BatchNorm2D{Name: name("bn2")},
				Residual{Name: name("add"), From: last, Shortcut: shortcut}, ReLU{name("relu2")})
			last = name("relu2")
		}
	}
	return Arch{Name: fmt.Sprintf("resnet20-w%g", width), Input: Shape{32, 32, 3}, Classes: classes,
		Layers: append(layers, GlobalAvgPool{"avgpool"}, Dense{Name: "fc", Out: classes})}
}
