package conv

import (
	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
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
func (t *tiling) gradient(threads int, dw []float32) {
	points, nr, tier := t.Points*t.Points, columns(), asm.Active()
	depth, out := divUp(t.x.depth, nr)*nr, divUp(t.y.depth, 24)*24 // whole tiles, and whole vectors
	most := min(tilesAtOnce, t.tiles())
	in, made, sum := most*depth+line, most*out+line, out*depth+line // planes
	buf := level3.Scratch(points * (in + made + sum))
	defer level3.Release(buf)
	x, dy, sums := (*buf)[:points*in], (*buf)[points*in:][:points*made], (*buf)[points*(in+made):]
	clear(dy) // the columns beyond the last filter

	for lo := 0; lo < t.tiles(); lo += tilesAtOnce {
		n := min(tilesAtOnce, t.tiles()-lo)
		par.Blocks(threads, n, 8, func(i0, i1 int) {
			scratch := level3.Scratch(points * (max(t.x.vectors(), t.y.vectors()) + line))
			defer level3.Release(scratch)
			for i := i0; i < i1; i++ {
				t.inputPanels(x, in, n, i, lo+i, *scratch)
				t.spread(dy[i*out:], made, lo+i, *scratch)
			}
		})
		par.For(threads, points, func(p int) {
			level3.Prepare(x[p*in:], t.x.depth, n).Times(t.y.depth, asm.Left{Data: dy[p*made:], Row: 1, Col: out}, sums[p*sum:], depth, level3.End{Accumulate: lo > 0})
		})
	}
	taps := t.R * t.R
	par.Blocks(threads, t.y.depth, 8, func(o0, o1 int) {
		scratch := make([]float32, taps*t.x.vectors())
		for o := o0; o < o1; o++ {
			to := dw[o*taps*t.x.depth:][:taps*t.x.depth]
			if t.x.depth%8 == 0 {
				tier.Transform(t.Collect, t.x.depth, to, t.R*t.x.depth, t.x.depth, sums[o*depth:], t.Points*sum, sum)
				continue
			}
			width := t.x.vectors()
			tier.Transform(t.Collect, width, scratch, t.R*width, width, sums[o*depth:], t.Points*sum, sum)
			for i := range taps {
				copy(to[i*t.x.depth:][:t.x.depth], scratch[i*width:])
			}
		}
	})
}

// inputPanels writes the transform of a tile of x as row i of n of the panels of
// B, planes apart.
func (t *tiling) inputPanels(dst []float32, plane, n, i, tile int, scratch []float32) {
	nr := columns()
	in, y, x := t.at(tile)
	grid, row, col := t.x.tile(scratch, in, y-t.pad, x-t.pad, t.Points)
	for c := 0; c < t.x.vectors(); c += nr {
		asm.Active().Transform(t.Input, min(nr, t.x.vectors()-c), dst[c*n+i*nr:], t.Points*plane, plane, grid[c:], row, col)
	}
}

// spread writes the transform of a tile of the output's gradient, planes apart.
func (t *tiling) spread(dst []float32, plane, tile int, scratch []float32) {
	n, y, x := t.at(tile)
	grid, row, col := t.y.tile(scratch, n, y, x, t.M)
	asm.Active().Transform(t.Spread, t.y.vectors(), dst, t.Points*plane, plane, grid, row, col)
}
