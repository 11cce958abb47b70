package nn

import (
	"fmt"
	"math/rand/v2"

	"github.com/convergent-go/convergent/internal/vec"
)

// MaxPool takes the maximum over windows of Kernel x Kernel positions, Stride
// apart, after Pad positions on each side that never win.
//
// Along an edge the number of windows is (size + 2*Pad - Kernel) / Stride + 1,
// the quotient rounded down or, if Ceil, up as in Caffe. Rounded up, the last
// window may hang over the far edge, where it is clipped; one that would begin
// at or beyond image and near padding, at size + Pad or later, is left out.
// (Caffe leaves it out only if Pad > 0 and else returns -FLT_MAX for it.)
type MaxPool struct {
	Name                string
	Kernel, Stride, Pad int
	Ceil                bool
}

// AvgPool takes the mean over windows as MaxPool places them. The divisor is
// Caffe's: padding counts as zeros, but what hangs over beyond the padding does
// not count.
type AvgPool struct {
	Name                string
	Kernel, Stride, Pad int
	Ceil                bool
}

// GlobalAvgPool takes the mean over all positions of an image.
type GlobalAvgPool struct{ Name string }

func (l MaxPool) name() string       { return l.Name }
func (l AvgPool) name() string       { return l.Name }
func (l GlobalAvgPool) name() string { return l.Name }

func (l MaxPool) window() (size, stride, pad int, ok bool)       { return l.Kernel, l.Stride, l.Pad, true }
func (l AvgPool) window() (size, stride, pad int, ok bool)       { return l.Kernel, l.Stride, l.Pad, true }
func (l GlobalAvgPool) window() (size, stride, pad int, ok bool) { return 0, 0, 0, false }

func (l MaxPool) output(in Shape) (Shape, error) {
	return pooling{l.Kernel, l.Stride, l.Pad, l.Ceil}.output(in)
}

func (l AvgPool) output(in Shape) (Shape, error) {
	return pooling{l.Kernel, l.Stride, l.Pad, l.Ceil}.output(in)
}

func (l GlobalAvgPool) output(in Shape) (Shape, error) { return Shape{1, 1, in.C}, nil }

func (l MaxPool) build(Shape, *rand.Rand) op {
	return &maxPoolOp{pooling: pooling{l.Kernel, l.Stride, l.Pad, l.Ceil}}
}

func (l AvgPool) build(Shape, *rand.Rand) op {
	return &avgPoolOp{pooling{l.Kernel, l.Stride, l.Pad, l.Ceil}}
}

// build makes the one window of an average pooling: clipped to the image, it has all of it.
func (l GlobalAvgPool) build(in Shape, _ *rand.Rand) op {
	edge := max(in.H, in.W)
	return &avgPoolOp{pooling{kernel: edge, stride: edge, ceil: true}}
}

// pooling places windows.
type pooling struct {
	kernel, stride, pad int
	ceil                bool
}

func (l pooling) params() []*Param { return nil }
func (l pooling) inPlace() bool    { return false }

func (l pooling) output(in Shape) (Shape, error) {
	if l.kernel < 1 || l.stride < 1 || l.pad < 0 || l.pad >= l.kernel {
		return Shape{}, fmt.Errorf("kernel %d, stride %d, pad %d: out of range", l.kernel, l.stride, l.pad)
	}
	if in.H+2*l.pad < l.kernel || in.W+2*l.pad < l.kernel {
		return Shape{}, fmt.Errorf("a window of %d does not fit an image of %d x %d padded by %d", l.kernel, in.H, in.W, l.pad)
	}
	return Shape{l.count(in.H), l.count(in.W), in.C}, nil
}

// count is the number of windows along an edge of the given size.
func (l pooling) count(size int) int {
	span := size + 2*l.pad - l.kernel
	if !l.ceil {
		return span/l.stride + 1
	}
	n := (span+l.stride-1)/l.stride + 1
	if (n-1)*l.stride >= size+l.pad {
		n--
	}
	return n
}

// span returns the positions [lo, hi) of the image that window i covers along
// an edge, and how many positions a mean is over.
func (l pooling) span(i, size int) (lo, hi, divisor int) {
	lo = i*l.stride - l.pad
	hi = min(lo+l.kernel, size+l.pad)
	divisor = hi - lo
	return max(lo, 0), min(hi, size), divisor
}

// forEachWindow calls f for every window of an image: its output position, the rows and
// columns it covers, and how many positions a mean is over.
func (l pooling) forEachWindow(out, in Shape, f func(position, y0, y1, x0, x1, divisor int)) {
	for oy := range out.H {
		y0, y1, rows := l.span(oy, in.H)
		for ox := range out.W {
			x0, x1, cols := l.span(ox, in.W)
			f(oy*out.W+ox, y0, y1, x0, x1, rows*cols)
		}
	}
}

// maxPoolOp is MaxPool at work.
type maxPoolOp struct {
	pooling
	argmax []int32 // for each output element, the input element of its image that it came from
}

func (o *maxPoolOp) forward(p pass, y, x *Tensor) {
	o.argmax = grow(o.argmax, len(y.Data))
	c, size := x.C, y.Shape().Size()
	x.forEach(p.threads, func(i int) {
		in, out, argmax := x.image(i), y.image(i), o.argmax[i*size:][:size]
		o.forEachWindow(y.Shape(), x.Shape(), func(position, y0, y1, x0, x1, _ int) {
			maxima, argmax := out[position*c:][:c], argmax[position*c:][:c]
			first := (y0*x.W + x0) * c
			copy(maxima, in[first:])
			for ch := range argmax {
				argmax[ch] = int32(first + ch)
			}
			for yy := y0; yy < y1; yy++ {
				for xx := x0; xx < x1; xx++ {
					offset := (yy*x.W + xx) * c
					vec.Max(maxima, argmax, in[offset:][:c], offset)
				}
			}
		})
	})
}

func (o *maxPoolOp) backward(p pass, dx, dy, y, x *Tensor) {
	if dx == nil {
		return
	}
	size := y.Shape().Size()
	dx.forEach(p.threads, func(i int) {
		dst := dx.image(i)
		clear(dst)
		argmax := o.argmax[i*size:][:size]
		for j, v := range dy.image(i) {
			dst[argmax[j]] += v
		}
	})
}

// avgPoolOp is AvgPool at work.
type avgPoolOp struct{ pooling }

func (o *avgPoolOp) forward(p pass, y, x *Tensor) {
	c := x.C
	x.forEach(p.threads, func(i int) {
		in, out := x.image(i), y.image(i)
		o.forEachWindow(y.Shape(), x.Shape(), func(position, y0, y1, x0, x1, divisor int) {
			sum := out[position*c:][:c]
			clear(sum)
			for yy := y0; yy < y1; yy++ {
				for xx := x0; xx < x1; xx++ {
					vec.Add(sum, in[(yy*x.W+xx)*c:][:c])
				}
			}
			share := 1 / float32(divisor)
			for ch := range sum {
				sum[ch] *= share
			}
		})
	})
}

func (o *avgPoolOp) backward(p pass, dx, dy, y, x *Tensor) {
	if dx == nil {
		return
	}
	c := x.C
	dx.forEach(p.threads, func(i int) {
		image, grad := dx.image(i), dy.image(i)
		clear(image)
		o.forEachWindow(y.Shape(), x.Shape(), func(position, y0, y1, x0, x1, divisor int) {
			d, share := grad[position*c:][:c], 1/float32(divisor)
			for yy := y0; yy < y1; yy++ {
				for xx := x0; xx < x1; xx++ {
					dst := image[(yy*x.W+xx)*c:][:c]
					for ch, v := range d {
						dst[ch] += float32(v * share)
					}
				}
			}
		})
	})
}
