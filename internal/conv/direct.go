package conv

import (
	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
)

// Where patches are short, packing them would cost as much as multiplying them. But
// a row of a patch lies in a row of the image, and the next position's a step
// further: the tiles of a product can read them where they are.

// direct reports whether patches are read in place.
func (g Geometry) direct() bool {
	return g.groups() == 1 && g.patch() <= level3.KC && g.OutW() > 7
}

// overread is how many vectors further than the last a tile may read.
const overread = asm.NarrowRows - 1

// withRoom returns data, or where that is shorter than n a copy with room for n: a tile
// may read a few positions beyond the last.
func withRoom(data []float32, n int) []float32 {
	if len(data) >= n {
		return data
	}
	longer := make([]float32, n)
	copy(longer, data)
	return longer
}

// rowLen is the length of a row of a padded image.
func (g Geometry) rowLen() int { return (g.W + 2*g.Pad) * g.C }

// patchOffset returns where the patches of row oy of image n of the output begin.
func (g Geometry) patchOffset(n, oy int) int {
	return (n*(g.H+2*g.Pad) + oy*g.Stride) * g.rowLen()
}

// forwardDirect is Forward from patches in place.
func (g Geometry) forwardDirect(threads int, y, x, w, bias []float32, relu bool) {
	x, padded := g.pad(threads, x)
	defer level3.Release(padded)
	k := g.patch()
	buf := level3.Scratch(level3.PackedLen(max(g.Out, narrowWidth), k))
	defer level3.Release(buf)
	var filters fixedB
	if g.narrow(forward) {
		asm.Active().Transpose(*buf, g.Out, w, k, g.Out, k)
		filters = newNarrowB(*buf, g.Out, g.Out, k)
	} else {
		packed := level3.NewPackedB(*buf, g.Out, k)
		packed.Pack(0, g.Out, level3.Rows{Data: w, Stride: k})
		filters = packed
	}
	g.forwardRows(threads, y, x, g.rowLen(), g.H+2*g.Pad, filters, Epilogue{Bias: bias, ReLU: relu})
}

// forwardRows computes y from padded images x, of so many rows of the given length each, and
// filters, a row of the output at a time.
func (g Geometry) forwardRows(threads int, y, x []float32, rowLen, height int, filters fixedB, e Epilogue) {
	rows := g.N * g.OutH()
	par.Blocks(threads, rows, max(1, divUp(rows, 8*threads)), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			at := (r/g.OutH()*height + r%g.OutH()*g.Stride) * rowLen
			in := withRoom(x[at:], (g.KH-1)*rowLen+((g.OutW()+filters.Overread(g.OutW())-1)*g.Stride+g.KW)*g.C)
			patches := asm.PanelA{Data: in, RowStride: g.Stride * g.C, ColStride: 1, Run: g.KW * g.C, RunStride: rowLen}
			out := y[r*g.OutW()*g.Out:][:g.OutW()*g.Out]
			filters.Multiply(g.OutW(), patches, out, g.Out, level3.Epilogue{Bias: e.Bias, ReLU: e.ReLU})
			if e.Done != nil {
				e.Done(r*len(out), len(out))
			}
		}
	})
}

// maxGradientParts is into how many parts the images are divided at most, whose gradients
// of the filters are summed by themselves and then added in order. It is part of the
// meaning of a gradient.
const maxGradientParts = 16

// backwardWeightsDirect is the gradient of the filters from patches in place.
// Its transpose is a product whose vectors are the terms of a patch: those of
// one row lie side by side in the image, and the next position's a step further.
func (g Geometry) backwardWeightsDirect(threads int, dw, x, dy []float32) {
	x, padded := g.pad(threads, x)
	defer level3.Release(padded)
	k, size := g.patch(), g.patch()*g.Out
	images := divUp(g.N, maxGradientParts)
	parts := divUp(g.N, images)
	filters := g.Out // that a thread sums at a time
	if parts < threads {
		filters = filterBlock
	}
	blocks := divUp(g.Out, filters)
	if blocks > 1 && (level3.PackedB{}).Overread(g.KW*g.C) > 0 {
		x = withRoom(x, len(x)+overread) // once for all
	}
	sums := level3.Scratch(parts * size)
	defer level3.Release(sums)
	par.For(threads, parts*blocks, func(i int) {
		part, o0 := i/blocks, i%blocks*filters
		o1 := min(g.Out, o0+filters)
		sum := (*sums)[part*size:][:size]
		for t := range k {
			clear(sum[t*g.Out+o0 : t*g.Out+o1])
		}
		packed := level3.Scratch(level3.PackedLen(o1-o0, level3.KC))
		defer level3.Release(packed)
		for n := part * images; n < min(g.N, (part+1)*images); n++ {
			g.addGradient(sum, x, dy, n, o0, o1, *packed)
		}
	})
	asm.Active().Transpose(dw, k, sumParts(*sums, size), g.Out, k, g.Out)
}

// filterBlock is a multiple of every tile's columns.
const filterBlock = 32

// addGradient adds to the sum, [KH, KW, C, Out], the gradient of filters [o0, o1) from image
// n of the padded images x: of as many rows of the output at a time as a product has terms,
// or of a part of one.
func (g Geometry) addGradient(sum, x, dy []float32, n, o0, o1 int, packed []float32) {
	width, run := g.KW*g.C, min(g.OutW(), level3.KC)
	rows := max(1, level3.KC/g.OutW())
	for oy := 0; oy < g.OutH(); oy += rows {
		rows := min(rows, g.OutH()-oy)
		for ox := 0; ox < g.OutW(); ox += run {
			run := min(run, g.OutW()-ox)
			units := g.units(dy[((n*g.OutH()+oy)*g.OutW()+ox)*g.Out+o0:], o1-o0, rows*run, packed)
			for ky := range g.KH {
				in := withRoom(x[g.patchOffset(n, oy)+ky*g.rowLen()+ox*g.Stride*g.C:], (rows-1)*g.Stride*g.rowLen()+(run-1)*g.Stride*g.C+width+units.Overread(width))
				terms := asm.PanelA{Data: in, RowStride: 1, ColStride: g.Stride * g.C, Run: run, RunStride: g.Stride * g.rowLen()}
				units.Multiply(width, terms, sum[ky*width*g.Out+o0:], g.Out, level3.Epilogue{Accumulate: true})
			}
		}
	}
}

// units returns k positions of the gradient of the output of n filters, from where dy begins,
// as a B: where they lie, or packed.
func (g Geometry) units(dy []float32, n, k int, packed []float32) fixedB {
	if g.narrow(backwardWeights) {
		return newNarrowB(dy, g.Out, n, k)
	}
	if units, ok := level3.StridedB(dy, g.Out, n, k); ok {
		return units
	}
	units := level3.NewPackedB(packed, n, k)
	units.Pack(0, n, level3.Cols{Data: dy, Stride: g.Out})
	return units
}
