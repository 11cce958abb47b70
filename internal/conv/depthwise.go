package conv

import (
	"math"

	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
)

// Where each channel has a filter of its own there is no product of matrices: vectors are
// channels, read where they lie in the images, and terms outside the images are left out.

// depthwise reports whether each channel has one filter and nothing else.
func (g Geometry) depthwise() bool { return g.groups() > 1 && g.groups() == g.C && g.Out == g.C }

// plane is images of channels that lie side by side, whose positions lie row and col floats
// apart.
type plane struct {
	data            []float32
	image, row, col int
}

func (g Geometry) inputPlane(x []float32) plane {
	return plane{x, g.H * g.W * g.C, g.W * g.C, g.C}
}

func (g Geometry) outputPlane(y []float32) plane {
	return plane{y, g.OutH() * g.OutW() * g.Out, g.OutW() * g.Out, g.Out}
}

// channelwise is a convolution of each channel of n images x by a filter of its own, to y.
type channelwise struct {
	n, channels          int
	vertical, horizontal axis
	x, y                 plane
	w                    []float32 // [taps, taps, channels]
	Epilogue                       // whose Done is called for rows, if positions of y lie side by side
}

// chunk is how many channels are computed at a time: so many that their filters stay in the
// first-level cache, in whole tiles of the kernels.
func (e channelwise) chunk() int {
	return max(64, 6144/max(1, e.vertical.taps*e.horizontal.taps)/64*64)
}

// run computes y on at most threads threads.
func (e channelwise) run(threads int) {
	rows := e.n * e.vertical.out
	if e.horizontal.short() && e.horizontal.overhang() == e.horizontal.pad {
		x, wide, padded := padRows(threads, e.x.data, e.channels, e.horizontal)
		defer level3.Release(padded)
		e.horizontal = wide
		e.x = plane{x, e.vertical.in * wide.in * e.channels, wide.in * e.channels, e.channels}
	}
	par.Blocks(threads, rows, max(1, divUp(rows, 4*threads)), func(lo, hi int) {
		for c := 0; c < e.channels; c += e.chunk() {
			for r := lo; r < hi; r++ {
				e.row(r/e.vertical.out, r%e.vertical.out, c, min(e.channels, c+e.chunk()))
				if e.Done != nil && c+e.chunk() >= e.channels {
					e.Done(r*e.y.row, e.y.row)
				}
			}
		}
	})
}

// short reports whether rows are so short that edges are much of them. To fill them up
// with zeros then takes less than to compute edges by themselves.
func (a axis) short() bool {
	return a.stride == 1 && a.pad > 0 && a.out >= 7 && a.out <= min(14, 4*(a.taps-1))
}

// padRows copies rows of the input of a between zeros, and returns them with their axis, which
// has no padding; padded is to be released.
func padRows(threads int, x []float32, channels int, a axis) (rows []float32, wide axis, padded *[]float32) {
	row := a.in * channels
	rows, padded = images{data: x, n: len(x) / row, h: 1, w: a.in, c: channels}.pad(threads, 0, a.pad)
	return rows, axis{a.in + 2*a.pad, a.out, a.taps, a.stride, 0}, padded
}

// row computes channels [c0, c1) of row oy of image n of y: positions that the edges of the
// image cut taps off from one at a time, those between together.
func (e channelwise) row(n, oy, c0, c1 int) {
	row0, row1 := e.vertical.valid(oy)
	o0, o1 := e.horizontal.interior()
	for o := 0; o < e.horizontal.out; o++ {
		outputs := 1
		if o == o0 && o1 > o0 {
			outputs = o1 - o0
		}
		col0, col1 := e.horizontal.valid(o)
		y := e.y.data[n*e.y.image+oy*e.y.row+o*e.y.col+c0:]
		if row0 >= row1 || col0 >= col1 {
			e.empty(y[:c1-c0], c0)
			continue
		}
		terms := asm.Terms{Rows: row1 - row0, Cols: col1 - col0, Channels: c1 - c0,
			X: asm.Strides{Row: e.x.row, Col: e.x.col, Output: e.horizontal.stride * e.x.col},
			W: asm.Strides{Row: e.horizontal.taps * e.channels, Col: e.channels}}
		x := e.x.data[n*e.x.image+(oy*e.vertical.stride-e.vertical.pad+row0)*e.x.row+(o*e.horizontal.stride-e.horizontal.pad+col0)*e.x.col+c0:]
		epilogue := asm.Epilogue{Floor: e.floor()}
		if e.Bias != nil {
			epilogue.Add = e.Bias[c0:]
		}
		asm.Active().Depthwise(outputs, terms, y, e.y.col, x, e.w[(row0*e.horizontal.taps+col0)*e.channels+c0:], epilogue)
		o += outputs - 1
	}
}

// empty sets y to sums of no terms, of channels from c on.
func (e channelwise) empty(y []float32, c int) {
	clear(y)
	if e.Bias != nil {
		copy(y, e.Bias[c:])
	}
	for i, v := range y {
		y[i] = max(v, e.floor())
	}
}

// forwardDepthwise is Forward of filters for each channel.
func (g Geometry) forwardDepthwise(threads int, y, x, w, bias []float32, relu bool) {
	taps := g.patch()
	filters := level3.Scratch(taps * g.C)
	defer level3.Release(filters)
	asm.Active().Transpose(*filters, g.C, w, taps, g.C, taps)
	g.channelwise(y, x, *filters, Epilogue{Bias: bias, ReLU: relu}).run(threads)
}

// channelwise returns the convolution of g with filters [KH, KW, C].
func (g Geometry) channelwise(y, x, filters []float32, e Epilogue) channelwise {
	return channelwise{n: g.N, channels: g.C, vertical: g.vertical(), horizontal: g.horizontal(),
		x: g.inputPlane(x), y: g.outputPlane(y), w: filters, Epilogue: e}
}

// backwardDataDepthwise is BackwardData of filters for each channel, a convolution for each
// phase of the stride.
func (g Geometry) backwardDataDepthwise(threads int, dx, dy, w []float32) {
	taps := g.patch()
	filters, reached := level3.Scratch(taps*g.C), level3.Scratch(taps*g.C)
	defer level3.Release(filters)
	defer level3.Release(reached)
	asm.Active().Transpose(*filters, g.C, w, taps, g.C, taps)
	for _, p := range g.phases() {
		for i, tap := range p.taps {
			copy((*reached)[i*g.C:], (*filters)[tap*g.C:][:g.C])
		}
		images := g.inputPlane(dx)
		images = plane{images.data[p.y*images.row+p.x*images.col:], images.image, g.Stride * images.row, g.Stride * images.col}
		e := channelwise{n: g.N, channels: g.C, vertical: p.vertical, horizontal: p.horizontal,
			x: g.outputPlane(dy), y: images, w: *reached}
		e.run(threads)
	}
}

// gradientChannels is how many channels of a gradient of filters are summed at a time: those of
// some rows of the images and of the output stay in the first-level cache.
const gradientChannels = 64

// backwardWeightsDepthwise is the gradient of filters for each channel: the output's gradient
// as filters of the images, whose outputs are the taps.
func (g Geometry) backwardWeightsDepthwise(threads int, dw, x, dy []float32) {
	taps, rows, chunks := g.patch(), g.N*g.OutH(), divUp(g.C, gradientChannels)
	operations := rows * g.OutW() * taps * g.C
	share := divUp(rows, min(maxGradientParts, 1+operations>>20)) // of a part; each is worth its sum
	parts := divUp(rows, share)
	sums := level3.Scratch(parts * taps * g.C)
	defer level3.Release(sums)
	h := g.horizontal()
	if h.short() {
		copied, wide, padded := padRows(threads, x, g.C, h)
		defer level3.Release(padded)
		x, h = copied, wide
	}
	par.For(threads, parts*chunks, func(i int) {
		part, c := i/chunks, i%chunks*gradientChannels
		sum := (*sums)[part*taps*g.C:][:taps*g.C]
		s := channelwiseGradient{g, h, x, dy, sum, c, min(gradientChannels, g.C-c)}
		s.add(part*share, min(rows, (part+1)*share))
	})
	asm.Active().Transpose(dw, taps, sumParts(*sums, taps*g.C), g.C, taps, g.C)
}

// channelwiseGradient sums the gradient of the filters [KH, KW, C] of channels from c on.
type channelwiseGradient struct {
	Geometry
	h           axis // horizontal, of x
	x, dy, sum  []float32
	c, channels int
}

// add sets the sum to that over rows [r0, r1) of the output, of all images: of a few rows
// at a time, which stay in the first-level cache for all rows of taps.
func (s *channelwiseGradient) add(r0, r1 int) {
	for tap := range s.KH * s.KW {
		clear(s.sum[tap*s.C+s.c:][:s.channels])
	}
	for r := r0; r < r1; {
		n, oy := r/s.OutH(), r%s.OutH()
		rows := min(r1-r, s.OutH()-oy, max(1, 128/s.OutW()))
		for ky := range s.KH {
			o0, o1 := s.vertical().reached(ky)
			o0, o1 = max(o0, oy), min(o1, oy+rows)
			if o0 < o1 {
				s.taps(n, ky, o0, o1)
			}
		}
		r += rows
	}
}

// taps adds rows [oy0, oy1) of the output of image n to the taps of row ky: positions that
// all reach together, where these are many, and others tap by tap.
func (s *channelwiseGradient) taps(n, ky, oy0, oy1 int) {
	o0, o1 := s.h.interior()
	if 2*(o1-o0) < s.OutW() {
		o0, o1 = 0, 0
	}
	s.columns(n, ky, oy0, oy1, 0, s.KW, o0, o1)
	for kx := range s.KW {
		k0, k1 := s.h.reached(kx)
		if o0 == o1 {
			s.columns(n, ky, oy0, oy1, kx, 1, k0, k1)
			continue
		}
		s.columns(n, ky, oy0, oy1, kx, 1, k0, o0)
		s.columns(n, ky, oy0, oy1, kx, 1, o1, k1)
	}
}

// columns adds positions [oy0, oy1) x [ox0, ox1) of the output of image n to so many taps
// from (ky, kx) on, at most KC of a row at a time.
func (s *channelwiseGradient) columns(n, ky, oy0, oy1, kx, taps, ox0, ox1 int) {
	if ox0 >= ox1 {
		return
	}
	if ox1-ox0 > level3.KC {
		s.columns(n, ky, oy0, oy1, kx, taps, ox0, ox0+level3.KC)
		s.columns(n, ky, oy0, oy1, kx, taps, ox0+level3.KC, ox1)
		return
	}
	terms := asm.Terms{Rows: oy1 - oy0, Cols: ox1 - ox0, Channels: s.channels,
		X: asm.Strides{Row: s.Stride * s.h.in * s.C, Col: s.Stride * s.C, Output: s.C},
		W: asm.Strides{Row: s.OutW() * s.C, Col: s.C}}
	x := s.x[((n*s.H+oy0*s.Stride-s.Pad+ky)*s.h.in+ox0*s.Stride-s.h.pad+kx)*s.C+s.c:]
	dy := s.dy[((n*s.OutH()+oy0)*s.OutW()+ox0)*s.C+s.c:]
	sum := s.sum[(ky*s.KW+kx)*s.C+s.c:]
	asm.Active().Depthwise(taps, terms, sum, s.C, x, dy, asm.Epilogue{Add: sum, Stride: s.C, Floor: float32(math.Inf(-1))})
}
