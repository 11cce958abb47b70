package conv

import (
	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/internal/vec"
)

// tilesAtOnce is how many tiles are summed by one product. It is part of the meaning of
// a gradient: the products are added one after another.
const tilesAtOnce = 192

// gradient computes the gradient of the filters [y.depth, R, R, x.depth] from the
// images x and the gradient y of the output:
//
//	dw = Collect(sum over tiles of Spread(dy) * Input(x))
//
// For each point the sum is a product of the tiles' outputs and inputs. The inputs
// are transformed straight into panels of B; the outputs are an A whose vectors are
// columns.
//
// Where the gradient is small, parts of the tiles are summed apart, each by one
// thread, and added in order; else threads share the transforms and the products.
func (t *tiling) gradient(threads int, dw []float32) {
	s := sums{tiling: t, points: t.Points * t.Points, depth: wholeTiles(t.x.depth), out: divUp(t.y.depth, 24) * 24}
	s.plane = s.out*s.depth + line
	size := s.points * s.plane
	parts := max(1, min(8, smallGradient/size, t.tiles()/(2*tilesAtOnce)))
	buf := level3.Scratch(parts * size)
	defer level3.Release(buf)
	share := divUp(t.tiles(), parts)
	within := 1
	if parts == 1 {
		within = threads
	}
	par.For(threads, parts, func(i int) {
		s.add(within, (*buf)[i*size:][:size], i*share, min(t.tiles(), (i+1)*share))
	})
	for i := 1; i < parts; i++ {
		vec.Add((*buf)[:size], (*buf)[i*size:][:size])
	}
	s.collect(threads, dw, *buf)
}

// smallGradient is how many floats parts of a gradient may take together.
const smallGradient = 1 << 20

// sums are a tiling's sums over tiles, for each point a matrix of out x depth: whole
// tiles of a product.
type sums struct {
	*tiling
	points, depth, out, plane int
}

// add sets sums to those over tiles [lo, hi).
func (s *sums) add(threads int, sums []float32, lo, hi int) {
	most := min(tilesAtOnce, hi-lo)
	in, made := most*s.depth+line, most*s.out+line // planes
	buf := level3.Scratch(s.points * (in + made))
	defer level3.Release(buf)
	x, dy := (*buf)[:s.points*in], (*buf)[s.points*in:]
	clear(dy) // the columns beyond the last filter
	for from := lo; from < hi; from += tilesAtOnce {
		n := min(tilesAtOnce, hi-from)
		par.Blocks(threads, n, 8, func(i0, i1 int) {
			scratch := level3.Scratch(s.points * (max(s.x.vectors(), s.y.vectors()) + line))
			defer level3.Release(scratch)
			for i := i0; i < i1; i++ {
				s.inputPanels(x, in, n, i, from+i, *scratch)
				s.spread(dy[i*s.out:], made, from+i, *scratch)
			}
		})
		par.For(threads, s.points, func(p int) {
			outputs := asm.Left{Data: dy[p*made:], Row: 1, Col: s.out}
			level3.Prepare(x[p*in:], s.depth, n).Times(s.y.depth, outputs, sums[p*s.plane:], s.depth, level3.End{Accumulate: from > lo})
		})
	}
}

// collect transforms the sums to the gradient of the filters.
func (s *sums) collect(threads int, dw, sums []float32) {
	taps, depth, width := s.R*s.R, s.x.depth, s.x.vectors()
	par.Blocks(threads, s.y.depth, 8, func(o0, o1 int) {
		scratch := make([]float32, taps*width)
		for o := o0; o < o1; o++ {
			asm.Active().Transform(s.Collect, width, scratch, s.R*width, width, sums[o*s.depth:], s.Points*s.plane, s.plane)
			to := dw[o*taps*depth:][:taps*depth]
			for i := range taps {
				copy(to[i*depth:][:depth], scratch[i*width:])
			}
		}
	})
}

// inputPanels writes the transform of a tile of x as row i of n of the panels of
// B, planes apart.
func (t *tiling) inputPanels(dst []float32, plane, n, i, tile int, scratch []float32) {
	width := columns()
	in, y, x := t.at(tile)
	grid, row, col := t.x.tile(scratch, in, y-t.pad, x-t.pad, t.Points)
	for c := 0; c < t.x.vectors(); c += width {
		asm.Active().Transform(t.Input, min(width, t.x.vectors()-c), dst[c*n+i*width:], t.Points*plane, plane, grid[c:], row, col)
	}
}

// spread writes the transform of a tile of the output's gradient, planes apart.
func (t *tiling) spread(dst []float32, plane, tile int, scratch []float32) {
	n, y, x := t.at(tile)
	grid, row, col := t.y.tile(scratch, n, y, x, t.M)
	asm.Active().Transform(t.Spread, t.y.vectors(), dst, t.Points*plane, plane, grid, row, col)
}
