package conv

import (
	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
)

// A convolution at stride s is one at stride 1 of blocks: s x s positions taken for
// one, whose channels are those of all of them. So Winograd's algorithm serves strides
// too: 11 x 11 positions every 4 are 3 x 3 blocks of 4 x 4.

// blocked is a convolution in blocks.
type blocked struct {
	Geometry          // as it is
	inner    Geometry // of blocks
}

// blocked returns g in blocks, and whether that is quicker.
func (g Geometry) blocked() (b blocked, ok bool) {
	s := g.Stride
	b = blocked{g, Geometry{N: g.N, C: s * s * g.C, Out: g.Out, KH: divUp(g.KH, s), KW: divUp(g.KW, s), Stride: 1}}
	b.inner.H, b.inner.W = g.OutH()+b.inner.KH-1, g.OutW()+b.inner.KW-1
	f := b.inner.form()
	return b, s > 1 && g.groups() == 1 && f != nil && f.Points*f.Points*s*s < f.M*f.M*g.KH*g.KW
}

// stretches calls f for what lies side by side both in grids of h x w positions and in
// their blocks, of which there are across in a row, the first of them beginning pad
// positions before the grid: n floats, at the given places.
func (b *blocked) stretches(h, w, down, across, pad int, f func(block, position, n int)) {
	s := b.Stride
	for y := range h {
		row, dy := (y+pad)/s, (y+pad)%s
		for x := 0; x < w && row < down; {
			column, dx := (x+pad)/s, (x+pad)%s
			n := min(s-dx, w-x)
			if column < across {
				f(((row*across+column)*s+dy)*s*b.C+dx*b.C, (y*w+x)*b.C, n*b.C)
			}
			x += n
		}
	}
}

// images calls f for the stretches of all images.
func (b *blocked) images(threads int, f func(block, position, n int)) {
	size := b.inner.H * b.inner.W * b.inner.C
	par.For(threads, b.N, func(i int) {
		b.stretches(b.H, b.W, b.inner.H, b.inner.W, b.Pad, func(block, position, n int) {
			f(i*size+block, i*b.H*b.W*b.C+position, n)
		})
	})
}

// filters calls f for the stretches of all filters.
func (b *blocked) filters(threads int, f func(block, position, n int)) {
	par.For(threads, b.Out, func(o int) {
		b.stretches(b.KH, b.KW, b.inner.KH, b.inner.KW, 0, func(block, position, n int) {
			f(o*b.inner.patch()+block, o*b.patch()+position, n)
		})
	})
}

// scratch returns zeros for images and filters in blocks.
func (b *blocked) scratch() (x, w []float32, buf *[]float32) {
	images, filters := b.N*b.inner.H*b.inner.W*b.inner.C, b.Out*b.inner.patch()
	buf = level3.Scratch(images + filters)
	clear(*buf)
	return (*buf)[:images], (*buf)[images:], buf
}

// into and from copy between blocks and what they were made of.
func into(blocks, x []float32) func(block, position, n int) {
	return func(block, position, n int) { copy(blocks[block:][:n], x[position:]) }
}

func from(blocks, x []float32) func(block, position, n int) {
	return func(block, position, n int) { copy(x[position:][:n], blocks[block:]) }
}

func (b *blocked) forward(threads int, y, x, w, bias []float32, relu bool) {
	xs, ws, buf := b.scratch()
	defer level3.Release(buf)
	b.images(threads, into(xs, x))
	b.filters(threads, into(ws, w))
	Forward(threads, b.inner, y, xs, ws, bias, relu)
}

func (b *blocked) backwardWeights(threads int, dw, x, dy []float32) {
	xs, ws, buf := b.scratch()
	defer level3.Release(buf)
	b.images(threads, into(xs, x))
	BackwardWeights(threads, b.inner, ws, nil, xs, dy)
	b.filters(threads, from(ws, dw))
}

func (b *blocked) backwardData(threads int, dx, dy, w []float32) {
	xs, ws, buf := b.scratch()
	defer level3.Release(buf)
	b.filters(threads, into(ws, w))
	BackwardData(threads, b.inner, xs, dy, ws)
	clear(dx) // what no filter reaches
	b.images(threads, from(xs, dx))
}
