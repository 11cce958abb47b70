package conv

import (
	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/internal/vec"
)

// gradientBlock is how many tiles are summed by one product. It is part of the meaning of
// a gradient: the products are added one after another.
const gradientBlock = 192

// gradient computes the gradient of the filters [y.depth, R, R, x.depth] from the
// images x and the gradient y of the output:
//
//	dw = FilterAdjoint(sum over tiles of OutputAdjoint(dy) * Input(x))
//
// For each point the sum is a product of the tiles' outputs and inputs. The inputs
// are transformed straight into panels of B; the outputs are an A whose vectors are
// columns.
//
// Where the gradient is small, parts of the tiles are summed by themselves, each by one
// thread, and added in order; else threads share the channels of y, or the transforms and
// the products.
func (t *tiling) gradient(threads int, dw []float32) {
	s := t.sums()
	parts := max(1, min(8, smallGradient/s.size(), t.tiles()/(2*gradientBlock)))
	if parts == 1 {
		t.share(threads, t.fewTiles(), func(threads int, part *tiling) {
			s := part.sums()
			buf := level3.Scratch(s.size())
			defer level3.Release(buf)
			s.add(threads, *buf, 0, t.tiles())
			s.filterAdjoint(threads, dw[(part.y.c0-t.y.c0)*s.R*s.R*s.x.depth:], *buf)
		})
		return
	}
	size := s.size()
	buf := level3.Scratch(parts * size)
	defer level3.Release(buf)
	share := divUp(t.tiles(), parts)
	par.For(threads, parts, func(i int) {
		s.add(1, (*buf)[i*size:][:size], i*share, min(t.tiles(), (i+1)*share))
	})
	s.filterAdjoint(threads, dw, sumParts(*buf, size))
}

// sumParts adds the parts of x, of the given size each, in order to the first, and returns it.
func sumParts(x []float32, size int) []float32 {
	total := x[:size]
	for at := size; at < len(x); at += size {
		vec.Add(total, x[at:][:size])
	}
	return total
}

// smallGradient is how many floats all parts of a gradient may take.
const smallGradient = 1 << 20

// tileSums are a tiling's sums over tiles, for each point a matrix of out x depth: whole
// tiles of a product.
type tileSums struct {
	*tiling
	points, depth, out, plane int
}

// sums returns the shape of the sums over t's tiles.
func (t *tiling) sums() *tileSums {
	s := &tileSums{tiling: t, points: t.Points * t.Points, depth: paddedColumns(t.x.depth), out: divUp(t.y.depth, 24) * 24}
	s.plane = s.out*s.depth + cacheLine
	return s
}

// size is the number of floats of the sums.
func (s *tileSums) size() int { return s.points * s.plane }

// add sets sums to those over tiles [lo, hi).
func (s *tileSums) add(threads int, sums []float32, lo, hi int) {
	block := min(gradientBlock, hi-lo)
	xPlane, dyPlane := block*s.depth+cacheLine, block*s.out+cacheLine
	buf := level3.Scratch(s.points * (xPlane + dyPlane))
	defer level3.Release(buf)
	x, dy := (*buf)[:s.points*xPlane], (*buf)[s.points*xPlane:]
	clear(dy) // the columns beyond the last filter
	for first := lo; first < hi; first += gradientBlock {
		n := min(gradientBlock, hi-first)
		par.Blocks(threads, n, 8, func(i0, i1 int) {
			scratch := level3.Scratch(s.points * (max(s.x.vectors(), s.y.vectors()) + cacheLine))
			defer level3.Release(scratch)
			for i := i0; i < i1; i++ {
				s.inputPanels(x[i*panelWidth():], xPlane, n, first+i, *scratch)
				s.outputAdjoint(dy[i*s.out:], dyPlane, first+i, *scratch)
			}
		})
		par.For(threads, s.points, func(p int) {
			outputs := asm.PanelA{Data: dy[p*dyPlane:], RowStride: 1, ColStride: s.out}
			inputs := level3.NewPackedB(x[p*xPlane:], s.depth, n)
			inputs.Multiply(s.y.depth, outputs, sums[p*s.plane:], s.depth, level3.Epilogue{Accumulate: first > lo})
		})
	}
}

// filterAdjoint transforms the sums to the gradient of the filters.
func (s *tileSums) filterAdjoint(threads int, dw, sums []float32) {
	taps, depth, width := s.R*s.R, s.x.depth, s.x.vectors()
	par.Blocks(threads, s.y.depth, 8, func(o0, o1 int) {
		scratch := make([]float32, taps*width)
		for o := o0; o < o1; o++ {
			asm.Active().Transform(s.FilterAdjoint, width, asm.Grid{Data: scratch, RowStride: s.R * width, ColStride: width}, s.grid(sums[o*s.depth:], s.plane))
			filter := dw[o*taps*depth:][:taps*depth]
			for i := range taps {
				copy(filter[i*depth:][:depth], scratch[i*width:])
			}
		}
	})
}

// inputPanels writes the transform of a tile of x as a row of the panels of B, of n rows,
// the points plane floats apart; dst begins at that row of the first panel.
func (t *tiling) inputPanels(dst []float32, plane, n, tile int, scratch []float32) {
	width := panelWidth()
	in, y, x := t.position(tile)
	src := t.x.tile(scratch, in, y-t.pad, x-t.pad, t.Points)
	for c := 0; c < t.x.vectors(); c += width {
		channels := asm.Grid{Data: src.Data[c:], RowStride: src.RowStride, ColStride: src.ColStride}
		asm.Active().Transform(t.Input, min(width, t.x.vectors()-c), t.grid(dst[c*n:], plane), channels)
	}
}

// outputAdjoint writes the transform of a tile of the output's gradient, the points plane
// floats apart.
func (t *tiling) outputAdjoint(dst []float32, plane, tile int, scratch []float32) {
	n, y, x := t.position(tile)
	asm.Active().Transform(t.OutputAdjoint, t.y.vectors(), t.grid(dst, plane), t.y.tile(scratch, n, y, x, t.M))
}
