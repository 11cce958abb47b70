package nn

import (
	"fmt"
	"math/rand/v2"

	"github.com/convergent-go/convergent/internal/conv"
	"github.com/convergent-go/convergent/internal/par"
)

// Conv2D is a convolution of Out filters of Kernel x Kernel positions, applied
// every Stride positions (0 means 1) after Pad zeros on each side; with Groups
// > 1, channels and filters are divided into as many parts, filters of a part having only
// its channels as input.
type Conv2D struct {
	Name                string
	Out, Kernel, Stride int     // filters, and positions
	Pad, Groups         int     // zeros on each side, and parts; 0 groups mean 1
	Init                Init    // of the weights
	NoBias              bool    // nothing is added, as before a normalisation that would take it away again
	BiasInit            float64 // what every bias begins with
	Weight, Bias        *Rate   // nil: {1, 1} and {1, 0}
}

func (l Conv2D) name() string { return l.Name }

func (l Conv2D) window() (size, stride, pad int, ok bool) {
	return l.Kernel, max(l.Stride, 1), l.Pad, true
}

func (l Conv2D) geometry(n int, in Shape) conv.Geometry {
	return conv.Geometry{N: n, H: in.H, W: in.W, C: in.C, Out: l.Out, KH: l.Kernel, KW: l.Kernel,
		Stride: max(l.Stride, 1), Pad: l.Pad, Groups: max(l.Groups, 1)}
}

func (l Conv2D) output(in Shape) (Shape, error) {
	g := l.geometry(1, in)
	switch {
	case l.Out < 1 || l.Kernel < 1 || l.Stride < 0 || l.Pad < 0 || l.Groups < 0:
		return Shape{}, fmt.Errorf("out %d, kernel %d, stride %d, pad %d, groups %d: out of range", l.Out, l.Kernel, l.Stride, l.Pad, l.Groups)
	case in.C%g.Groups != 0 || l.Out%g.Groups != 0:
		return Shape{}, fmt.Errorf("%d channels and %d filters do not divide into %d groups", in.C, l.Out, g.Groups)
	case in.H+2*l.Pad < l.Kernel || in.W+2*l.Pad < l.Kernel:
		return Shape{}, fmt.Errorf("a kernel of %d does not fit an image of %d x %d padded by %d", l.Kernel, in.H, in.W, l.Pad)
	}
	return Shape{g.OutH(), g.OutW(), l.Out}, nil
}

func (l Conv2D) build(in Shape, rnd *rand.Rand) op {
	depth := in.C / max(l.Groups, 1)
	p := newParams(l.Name, []int{l.Out, l.Kernel, l.Kernel, depth}, l.Init, l.BiasInit, l.Weight, l.Bias, rnd)
	o := &convOp{geometry: func(x *Tensor) conv.Geometry { return l.geometry(x.N, x.Shape()) }, w: p[0], b: p[1]}
	if l.NoBias {
		o.b = new(Param)
	}
	return o
}

// Dense connects each of Out units to every element of its input.
type Dense struct {
	Name         string
	Out          int     // units
	Init         Init    // of the weights
	BiasInit     float64 // what every bias begins with
	Weight, Bias *Rate   // nil: {1, 1} and {1, 0}
}

func (l Dense) name() string { return l.Name }

func (l Dense) window() (size, stride, pad int, ok bool) { return 0, 0, 0, false }

func (l Dense) output(in Shape) (Shape, error) {
	if l.Out < 1 {
		return Shape{}, fmt.Errorf("out %d: out of range", l.Out)
	}
	return Shape{1, 1, l.Out}, nil
}

// build makes a convolution of images of one position.
func (l Dense) build(in Shape, rnd *rand.Rand) op {
	p := newParams(l.Name, []int{l.Out, in.Size()}, l.Init, l.BiasInit, l.Weight, l.Bias, rnd)
	return &convOp{geometry: func(x *Tensor) conv.Geometry {
		return conv.Geometry{N: x.N, H: 1, W: 1, C: in.Size(), Out: l.Out, KH: 1, KW: 1, Stride: 1}
	}, w: p[0], b: p[1]}
}

// convOp is Conv2D and Dense at work.
type convOp struct {
	geometry func(x *Tensor) conv.Geometry
	w, b     *Param // b is empty without a bias: its slices are nil
}

func (o *convOp) inPlace() bool { return false }

func (o *convOp) params() []*Param {
	if o.b.Data == nil {
		return []*Param{o.w}
	}
	return []*Param{o.w, o.b}
}

func (o *convOp) forward(p pass, y, x *Tensor) {
	g := o.geometry(x)
	conv.Forward(g.Worth(p.threads), g, y.Data, x.Data, o.w.Data, o.b.Data, p.relu)
}

func (o *convOp) backward(p pass, dx, dy, y, x *Tensor) {
	g := o.geometry(x)
	threads := g.Worth(p.threads)
	o.w.Grad, o.b.Grad = grow(o.w.Grad, len(o.w.Data)), grow(o.b.Grad, len(o.b.Data))
	conv.BackwardWeights(threads, g, o.w.Grad, o.b.Grad, x.Data, dy.Data)
	if dx != nil {
		conv.BackwardData(threads, g, dx.Data, dy.Data, o.w.Data)
	}
}

// Convolve computes the convolution that l describes of x with the weights
// [Out, Kernel, Kernel, channels/Groups] and the bias [Out], nil for none, into
// dst, which it returns; a nil dst is allocated. It is for those who want only
// that: networks are made by New. It takes OH x OW x Out x Kernel^2 x channels/Groups
// multiply-adds an image, some of them saved by Winograd's algorithm.
//
// Threads limits the number of threads; 0 means all. Convolve panics if a shape
// does not fit.
func Convolve(dst *Tensor, l Conv2D, x *Tensor, weight, bias []float32, threads int) *Tensor {
	out, err := l.output(x.Shape())
	if err != nil {
		panic("nn: convolution does not fit its input")
	}
	if dst == nil {
		dst = NewTensor(x.N, out.H, out.W, out.C)
	} else if dst.N != x.N || dst.Shape() != out {
		panic("nn: dst has the wrong shape")
	}
	depth := l.Kernel * l.Kernel * (x.C / max(l.Groups, 1))
	if len(x.Data) != x.N*x.Shape().Size() || len(dst.Data) != x.N*out.Size() || len(weight) != l.Out*depth || bias != nil && len(bias) != l.Out {
		panic("nn: tensors, weights or bias have the wrong length")
	}
	conv.Forward(par.Threads(threads), l.geometry(x.N, x.Shape()), dst.Data, x.Data, weight, bias, false)
	return dst
}
