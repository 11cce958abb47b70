package conv

import (
	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
)

// A convolution at stride s is one at stride 1 of blocks: s x s positions taken for
// one, whose channels are those of all of them. So Winograd's algorithm serves strides
// too: 11 x 11 positions every 4 are 3 x 3 blocks of 4 x 4.

// blocks is a convolution of blocks.
type blocks struct {
	Geometry          // of positions
	inner    Geometry // of blocks
}

// blocks returns g in blocks, and whether that is quicker.
func (g Geometry) blocks() (b blocks, quicker bool) {
	s := g.Stride
	b = blocks{g, Geometry{N: g.N, C: s * s * g.C, Out: g.Out, KH: divUp(g.KH, s), KW: divUp(g.KW, s), Stride: 1}}
	b.inner.H, b.inner.W = g.OutH()+b.inner.KH-1, g.OutW()+b.inner.KW-1
	f := b.inner.form(forward)
	return b, s > 1 && g.groups() == 1 && f != nil && f.Points*f.Points*s*s < f.M*f.M*g.KH*g.KW
}

// blockGrid is a grid of rows x cols blocks, over one of h x w positions, the first of which
// lies pad positions after the beginning of the blocks.
type blockGrid struct{ h, w, pad, rows, cols int }

// segments calls f for what lies side by side both in the positions of a grid and in its
// blocks: n floats, at the given offsets.
func (b *blocks) segments(g blockGrid, f func(block, position, n int)) {
	s := b.Stride
	for y := range g.h {
		row, dy := (y+g.pad)/s, (y+g.pad)%s
		for x := 0; x < g.w && row < g.rows; {
			col, dx := (x+g.pad)/s, (x+g.pad)%s
			n := min(s-dx, g.w-x)
			if col < g.cols {
				f(((row*g.cols+col)*s+dy)*s*b.C+dx*b.C, (y*g.w+x)*b.C, n*b.C)
			}
			x += n
		}
	}
}

// images calls f for the segments of all images.
func (b *blocks) images(threads int, f func(block, position, n int)) {
	size := b.inner.H * b.inner.W * b.inner.C
	par.For(threads, b.N, func(i int) {
		b.segments(blockGrid{b.H, b.W, b.Pad, b.inner.H, b.inner.W}, func(block, position, n int) {
			f(i*size+block, i*b.H*b.W*b.C+position, n)
		})
	})
}

// filters calls f for the segments of all filters.
func (b *blocks) filters(threads int, f func(block, position, n int)) {
	par.For(threads, b.Out, func(o int) {
		b.segments(blockGrid{b.KH, b.KW, 0, b.inner.KH, b.inner.KW}, func(block, position, n int) {
			f(o*b.inner.patch()+block, o*b.patch()+position, n)
		})
	})
}

// scratch returns zeros for images and filters in blocks.
func (b *blocks) scratch() (x, w []float32, buf *[]float32) {
	images, filters := b.N*b.inner.H*b.inner.W*b.inner.C, b.Out*b.inner.patch()
	buf = level3.Scratch(images + filters)
	clear(*buf)
	return (*buf)[:images], (*buf)[images:], buf
}

// toBlocks and toPositions copy segments of blocks and of the positions x that they are
// made of.
func toBlocks(blocks, x []float32) func(block, position, n int) {
	return func(block, position, n int) { copy(blocks[block:][:n], x[position:]) }
}

func toPositions(blocks, x []float32) func(block, position, n int) {
	return func(block, position, n int) { copy(x[position:][:n], blocks[block:]) }
}

// forwardBlocks is Forward of blocks.
func (g Geometry) forwardBlocks(threads int, y, x, w, bias []float32, relu bool) {
	b, _ := g.blocks()
	xs, ws, buf := b.scratch()
	defer level3.Release(buf)
	b.images(threads, toBlocks(xs, x))
	b.filters(threads, toBlocks(ws, w))
	Forward(threads, b.inner, y, xs, ws, bias, relu)
}

// backwardWeightsBlocks is the gradient of the filters from blocks.
func (g Geometry) backwardWeightsBlocks(threads int, dw, x, dy []float32) {
	b, _ := g.blocks()
	xs, ws, buf := b.scratch()
	defer level3.Release(buf)
	b.images(threads, toBlocks(xs, x))
	BackwardWeights(threads, b.inner, ws, nil, xs, dy)
	b.filters(threads, toPositions(ws, dw))
}

// backwardDataBlocks is BackwardData of blocks.
func (g Geometry) backwardDataBlocks(threads int, dx, dy, w []float32) {
	b, _ := g.blocks()
	xs, ws, buf := b.scratch()
	defer level3.Release(buf)
	b.filters(threads, toBlocks(ws, w))
	BackwardData(threads, b.inner, xs, dy, ws)
	clear(dx) // what no filter reaches
	b.images(threads, toPositions(xs, dx))
}
