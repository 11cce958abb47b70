package conv

import (
	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
)

// At a stride, positions of the images that lie a stride apart, a phase of it, are reached
// by the same taps. So the gradient of each phase is a convolution at stride 1 of the
// gradient of the output by those taps, and no gradient is added to another.

// phase is the positions (y, x), (y, x+stride), ... of the images, and the convolution
// that gives their gradient.
type phase struct {
	y, x                 int
	vertical, horizontal axis
	taps                 []int // of the filters of the images' convolution, as their terms stand
}

// phases returns those of g.
func (g Geometry) phases() []phase {
	var all []phase
	for y := range min(g.Stride, g.H) {
		for x := range min(g.Stride, g.W) {
			vertical, lastY := g.vertical().adjoint(y)
			horizontal, lastX := g.horizontal().adjoint(x)
			p := phase{y: y, x: x, vertical: vertical, horizontal: horizontal}
			for ky := range vertical.taps {
				for kx := range horizontal.taps {
					p.taps = append(p.taps, (lastY-ky*g.Stride)*g.KW+lastX-kx*g.Stride)
				}
			}
			all = append(all, p)
		}
	}
	return all
}

// backwardDataPhases is BackwardData as a product for each phase: of patches of the output's
// gradient and the filters' taps.
func (g Geometry) backwardDataPhases(threads int, dx, dy, w []float32) {
	phases := g.phases()
	var padY, padX int
	for _, p := range phases {
		if len(p.taps) > 0 {
			padY, padX = max(padY, p.vertical.overhang()), max(padX, p.horizontal.overhang())
		}
	}
	all := g.outputGroup(dy, 0)
	dy, padded := all.pad(threads, padY, padX)
	defer level3.Release(padded)
	height, width := all.h+2*padY, all.w+2*padX
	out, depth, k := g.Out/g.groups(), g.C/g.groups(), g.patch()
	if g.Stride > min(g.KH, g.KW) {
		clear(dx) // some of which no tap reaches
	}
	gradients := dx
	if g.Stride > 1 {
		buf := level3.Scratch(g.N * phases[0].vertical.out * phases[0].horizontal.out * g.C)
		defer level3.Release(buf)
		gradients = *buf
	}
	for _, p := range phases {
		if len(p.taps) == 0 {
			continue // as dx is
		}
		rows, cols := p.vertical.out, p.horizontal.out
		first := ((padY-p.vertical.pad)*width + padX - p.horizontal.pad) * g.Out
		for i := range g.groups() {
			level3.Gemm(threads, level3.Product{
				M: g.N * rows * cols, N: depth, K: len(p.taps) * out,
				A: &patches{window{data: dy[first:], h: height, w: width, c: g.Out, c0: i * out, depth: out,
					kh: p.vertical.taps, kw: p.horizontal.taps, stride: 1, outH: rows, outW: cols}},
				B: &filterTaps{w: w[i*out*k:], of: g.KH * g.KW, taps: p.taps, out: out, depth: depth},
				C: gradients[i*depth:], LDC: g.C})
		}
		if g.Stride == 1 {
			continue
		}
		par.For(threads, g.N*rows, func(r int) {
			row := dx[((r/rows*g.H+r%rows*g.Stride+p.y)*g.W+p.x)*g.C:]
			for x := range cols {
				copy(row[x*g.Stride*g.C:][:g.C], gradients[(r*cols+x)*g.C:])
			}
		})
	}
}
