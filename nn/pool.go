package nn

import (
	"fmt"
	"math/rand/v2"

	"github.com/convergent-go/convergent/internal/par"
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

func (l MaxPool) name() string { return l.Name }
func (l AvgPool) name() string { return l.Name }

func (l MaxPool) window() (size, stride, pad int, ok bool) { return l.Kernel, l.Stride, l.Pad, true }
func (l AvgPool) window() (size, stride, pad int, ok bool) { return l.Kernel, l.Stride, l.Pad, true }

func (l MaxPool) output(in Shape) (Shape, error) {
	return pooling{l.Kernel, l.Stride, l.Pad, l.Ceil}.output(in)
}

func (l AvgPool) output(in Shape) (Shape, error) {
	return pooling{l.Kernel, l.Stride, l.Pad, l.Ceil}.output(in)
}

func (l MaxPool) build(Shape, *rand.Rand) op {
	return &maxPoolOp{pooling: pooling{l.Kernel, l.Stride, l.Pad, l.Ceil}}
}

func (l AvgPool) build(Shape, *rand.Rand) op {
	return &avgPoolOp{pooling{l.Kernel, l.Stride, l.Pad, l.Ceil}}
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
// an edge, and the positions that count towards a mean.
func (l pooling) span(i, size int) (lo, hi, counted int) {
	lo = i*l.stride - l.pad
	hi = min(lo+l.kernel, size+l.pad)
	counted = hi - lo
	return max(lo, 0), min(hi, size), counted
}

// each calls f for every window of an image: its output position, the rows and
// columns it covers, and how many positions count.
func (l pooling) each(out, in Shape, f func(at, y0, y1, x0, x1, counted int)) {
	for oy := range out.H {
		y0, y1, rows := l.span(oy, in.H)
		for ox := range out.W {
			x0, x1, cols := l.span(ox, in.W)
			f(oy*out.W+ox, y0, y1, x0, x1, rows*cols)
		}
	}
}

type maxPoolOp struct {
	pooling
	winner []int32 // for each output element, the input element of its image that it came from
}

func (o *maxPoolOp) forward(p pass, y, x *Tensor) {
	o.winner = grow(o.winner, len(y.Data))
	c, size := x.C, y.Shape().Size()
	par.For(p.threads, x.N, func(i int) {
		in, out, winner := x.image(i), y.image(i), o.winner[i*size:][:size]
		o.each(y.Shape(), x.Shape(), func(at, y0, y1, x0, x1, _ int) {
			best, who := out[at*c:][:c], winner[at*c:][:c]
			first := (y0*x.W + x0) * c
			copy(best, in[first:])
			for ch := range who {
				who[ch] = int32(first + ch)
			}
			for yy := y0; yy < y1; yy++ {
				for xx := x0; xx < x1; xx++ {
					from := (yy*x.W + xx) * c
					vec.Max(best, who, in[from:][:c], from)
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
	par.For(p.threads, dx.N, func(i int) {
		to := dx.image(i)
		clear(to)
		winner := o.winner[i*size:][:size]
		for j, v := range dy.image(i) {
			to[winner[j]] += v
		}
	})
}

type avgPoolOp struct{ pooling }

func (o *avgPoolOp) forward(p pass, y, x *Tensor) {
	c := x.C
	par.For(p.threads, x.N, func(i int) {
		in, out := x.image(i), y.image(i)
		o.each(y.Shape(), x.Shape(), func(at, y0, y1, x0, x1, counted int) {
			sum := out[at*c:][:c]
			clear(sum)
			for yy := y0; yy < y1; yy++ {
				for xx := x0; xx < x1; xx++ {
					vec.Add(sum, in[(yy*x.W+xx)*c:][:c])
				}
			}
			share := 1 / float32(counted)
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
	par.For(p.threads, dx.N, func(i int) {
		to, from := dx.image(i), dy.image(i)
		clear(to)
		o.each(y.Shape(), x.Shape(), func(at, y0, y1, x0, x1, counted int) {
			d, share := from[at*c:][:c], 1/float32(counted)
			for yy := y0; yy < y1; yy++ {
				for xx := x0; xx < x1; xx++ {
					dst := to[(yy*x.W+xx)*c:][:c]
					for ch, v := range d {
						dst[ch] += float32(v * share)
					}
				}
			}
		})
	})
}
