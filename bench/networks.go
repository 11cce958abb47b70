package bench

import (
	"fmt"
	"slices"
)

// Network is all distinct convolutions of a network that takes images of 224 x 224
// positions: resnet50, mobilenetv2, convnext-t or vgg16. Dense layers that act on
// each position by themselves are convolutions of 1 x 1.
type Network struct {
	Name    string `json:"name"`
	Batches []int  `json:"batches"` // numbers of images
}

// layer is a convolution of a network. The name that it gets says all of it: that of
// ResNet-50 which begins its second stage by halving 56 x 56 positions is
// conv/resnet50.3x3.128-128.56s2.
type layer struct{ size, in, out, kernel, stride, pad, groups int }

func (l layer) conv(network string, n int) Conv {
	name := fmt.Sprintf("%s.%dx%d.%d-%d.%d", network, l.kernel, l.kernel, l.in, l.out, l.size)
	if l.groups == l.in {
		name = fmt.Sprintf("%s.%dx%d.each%d.%d", network, l.kernel, l.kernel, l.in, l.size)
	}
	if l.stride > 1 {
		name += fmt.Sprintf("s%d", l.stride)
	}
	return Conv{Name: fmt.Sprintf("%s/n=%d", name, n), N: n, Size: l.size, In: l.in, Out: l.out,
		Kernel: l.kernel, Stride: l.stride, Pad: l.pad, Groups: l.groups}
}

func (w Network) works() ([]Work, error) {
	layers, ok := networks[w.Name]
	if !ok {
		return nil, fmt.Errorf("no network %q", w.Name)
	}
	var all []Work
	for _, n := range w.Batches {
		for i, l := range layers {
			if slices.Contains(layers[:i], l) {
				continue
			}
			works, err := l.conv(w.Name, n).works()
			if err != nil {
				return nil, err
			}
			all = append(all, works...)
		}
	}
	return all, nil
}

// networks are all convolutions of each, in order.
var networks = map[string][]layer{
	"resnet50":    resnet50(),
	"mobilenetv2": mobileNetV2(),
	"convnext-t":  convNeXtT(),
	"vgg16":       vgg16(),
}

// pointwise is a convolution of 1 x 1.
func pointwise(size, in, out int) layer { return layer{size, in, out, 1, 1, 0, 1} }

// resnet50 is the network of He et al. (CVPR 2016), halving in the convolutions of 3 x 3 as
// all libraries have it.
func resnet50() (l []layer) {
	l = append(l, layer{224, 3, 64, 7, 2, 3, 1})
	size, in := 56, 64
	for _, stage := range []struct{ width, blocks, stride int }{{64, 3, 1}, {128, 4, 2}, {256, 6, 2}, {512, 3, 2}} {
		width, stride := stage.width, stage.stride
		for range stage.blocks {
			l = append(l, pointwise(size, in, width), layer{size, width, width, 3, stride, 1, 1})
			if in != 4*width {
				l = append(l, layer{size, in, 4 * width, 1, stride, 0, 1})
			}
			size /= stride
			l = append(l, pointwise(size, width, 4*width))
			in, stride = 4*width, 1
		}
	}
	return l
}

// mobileNetV2 is the network of Sandler et al. (CVPR 2018).
func mobileNetV2() (l []layer) {
	l = append(l, layer{224, 3, 32, 3, 2, 1, 1})
	size, in, expansion := 112, 32, 1
	for _, stage := range []struct{ out, blocks, stride int }{{16, 1, 1}, {24, 2, 2}, {32, 3, 2}, {64, 4, 2}, {96, 3, 1}, {160, 3, 2}, {320, 1, 1}} {
		stride := stage.stride
		for range stage.blocks {
			inner := expansion * in
			if expansion > 1 {
				l = append(l, pointwise(size, in, inner))
			}
			l = append(l, layer{size, inner, inner, 3, stride, 1, inner})
			size /= stride
			l = append(l, pointwise(size, inner, stage.out))
			in, stride, expansion = stage.out, 1, 6
		}
	}
	l = append(l, pointwise(size, in, 1280))
	return l
}

// convNeXtT is the tiny network of Liu et al. (CVPR 2022).
func convNeXtT() (l []layer) {
	size, in, kernel := 224, 3, 4
	for _, stage := range []struct{ width, blocks int }{{96, 3}, {192, 3}, {384, 9}, {768, 3}} {
		width := stage.width
		l = append(l, layer{size, in, width, kernel, kernel, 0, 1})
		size, in, kernel = size/kernel, width, 2
		for range stage.blocks {
			l = append(l, layer{size, width, width, 7, 1, 3, width}, pointwise(size, width, 4*width), pointwise(size, 4*width, width))
		}
	}
	return l
}

// vgg16 is configuration D of Simonyan and Zisserman (ICLR 2015).
func vgg16() (l []layer) {
	size, in := 224, 3
	for _, stage := range []struct{ out, layers int }{{64, 2}, {128, 2}, {256, 3}, {512, 3}, {512, 3}} {
		for range stage.layers {
			l = append(l, layer{size, in, stage.out, 3, 1, 1, 1})
			in = stage.out
		}
		size /= 2
	}
	return l
}
