package conv

import (
	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
)

// form returns the form of Winograd's convolution that g is computed by in a direction, or
// nil where the sum itself is quicker: at strides, with few channels, whose transforms
// would cost more than they save, or with so few tiles that transforming the
// filters would.
func (g Geometry) form(d direction) *asm.Winograd {
	if d == backwardData {
		g = g.adjoint()
	}
	return g.quickest(g.positions(), func(tiles int) int { return tiles + filterTiles })
}

// quickest returns the form of Winograd's convolution that takes the least time, or nil where
// the sum itself does. The sum takes that of a product of so many rows for each tap, and a
// form that of one of rows(tiles) for each of its points.
func (g Geometry) quickest(direct int, rows func(tiles int) int) *asm.Winograd {
	if g.Stride != 1 || g.KH != g.KW || min(g.C, g.Out)/g.groups() < 8 {
		return nil
	}
	var best *asm.Winograd
	least := direct * g.KH * g.KW
	for _, f := range []*asm.Winograd{asm.F2x3, asm.F4x3, asm.F2x5, asm.F4x5} {
		tiles := g.N * divUp(g.OutH(), f.M) * divUp(g.OutW(), f.M)
		if products := rows(tiles) * f.Points * f.Points; f.R == g.KH && products < least {
			best, least = f, products
		}
	}
	return best
}

// filterTiles is how many tiles take as long to multiply as a filter takes to transform and
// pack, which is some 0.8 ns a point and channel.
const filterTiles = 64

// tiling divides the output, images y, of a convolution of x into tiles.
type tiling struct {
	*asm.Winograd
	x, y             images
	pad              int
	perRow, perImage int // tiles in a row, and in an image
}

func newTiling(f *asm.Winograd, x, y images, pad int) *tiling {
	perRow := divUp(y.w, f.M)
	return &tiling{f, x, y, pad, perRow, divUp(y.h, f.M) * perRow}
}

// tiles is the number of tiles of all images.
func (t *tiling) tiles() int { return t.y.n * t.perImage }

// position returns the image of a tile and the position of its first output.
func (t *tiling) position(tile int) (n, y, x int) {
	n, tile = tile/t.perImage, tile%t.perImage
	return n, tile / t.perRow * t.M, tile % t.perRow * t.M
}

// grid returns the grid of the points of a tile, which lie plane floats apart.
func (t *tiling) grid(data []float32, plane int) asm.Grid {
	return asm.Grid{Data: data, RowStride: t.Points * plane, ColStride: plane}
}

// input writes the transform of a tile of x, the points plane floats apart.
func (t *tiling) input(dst []float32, plane, tile int, scratch []float32) {
	n, y, x := t.position(tile)
	asm.Active().Transform(t.Input, t.x.vectors(), t.grid(dst, plane), t.x.tile(scratch, n, y-t.pad, x-t.pad, t.Points))
}

// output writes a tile of y from the grid of its products, and says so to done, unless that is
// nil.
func (t *tiling) output(src asm.Grid, tile int, bias []float32, floor float32, scratch []float32, done func(at, n int)) {
	n, y, x := t.position(tile)
	m := t.y
	tier, size := asm.Active(), m.vectors()
	at := ((n*m.h+y)*m.w+x)*m.c + m.c0
	dst := m.data[at:]
	if done != nil {
		defer t.announce(done, at, min(t.M, m.h-y), min(t.M, m.w-x))
	}
	if y+t.M <= m.h && x+t.M <= m.w && m.depth%8 == 0 {
		tier.Output(t.Output, size, asm.Grid{Data: dst, RowStride: m.w * m.c, ColStride: m.c}, src, bias, floor)
		return
	}
	tier.Output(t.Output, size, asm.Grid{Data: scratch, RowStride: t.M * size, ColStride: size}, src, bias, floor)
	for i := range min(t.M, m.h-y) {
		for j := range min(t.M, m.w-x) {
			copy(dst[(i*m.w+j)*m.c:][:m.depth], scratch[(i*t.M+j)*size:])
		}
	}
}

// announce calls done for outputs of rows x cols positions.
func (t *tiling) announce(done func(at, n int), at, rows, cols int) {
	for i := range rows {
		if t.y.depth == t.y.c {
			done(at+i*t.y.w*t.y.c, cols*t.y.c)
			continue
		}
		for j := range cols {
			done(at+(i*t.y.w+j)*t.y.c, t.y.depth)
		}
	}
}

// convolve computes y.
func (t *tiling) convolve(threads int, w *filters, e Epilogue) {
	depth, out := t.x.vectors(), paddedColumns(t.y.depth)
	paddedBias := make([]float32, out)
	copy(paddedBias, e.Bias)
	block := t.block(threads, depth+out)
	points := t.Points * t.Points
	xPlane, yPlane := block*depth+cacheLine, block*out+cacheLine
	par.Blocks(threads, t.tiles(), block, func(lo, hi int) {
		tileLen := t.Points * t.Points * (max(depth, out) + cacheLine)
		buf := level3.Scratch(points*(xPlane+yPlane) + tileLen)
		defer level3.Release(buf)
		x, y, scratch := (*buf)[:points*xPlane], (*buf)[points*xPlane:][:points*yPlane], (*buf)[points*(xPlane+yPlane):]
		for i := lo; i < hi; i++ {
			t.input(x[(i-lo)*depth:], xPlane, i, scratch)
		}
		for p, b := range w.points {
			b.Multiply(hi-lo, asm.PanelA{Data: x[p*xPlane:], RowStride: depth, ColStride: 1}, y[p*yPlane:], out, level3.Epilogue{})
		}
		for i := lo; i < hi; i++ {
			t.output(t.grid(y[(i-lo)*out:], yPlane), i, paddedBias, e.floor(), scratch, e.Done)
		}
	})
}

// block is how many tiles are transformed, multiplied and transformed back at a
// time: so many that their transforms fit the cache, a multiple of every MR,
// and shared evenly by threads.
func (t *tiling) block(threads, channels int) int {
	limit := max(24, cacheFloats/(t.Points*t.Points*channels)/12*12)
	rounds := divUp(t.tiles(), limit*threads) * threads
	return divUp(divUp(t.tiles(), rounds), 12) * 12
}

// cacheFloats is how many floats of transformed tiles there are at a time, 2 MB.
const cacheFloats = 1 << 19

// fewTiles reports whether filters outweigh tiles.
func (t *tiling) fewTiles() bool { return t.y.depth >= t.tiles() }

// share has f do the work of t: once, with all threads, or where there are few tiles for
// parts of the channels of y, a thread each. Then no thread waits for what another transforms,
// nor fetches it from another core's cache, but each transforms all tiles of x for itself.
func (t *tiling) share(threads int, few bool, f func(threads int, part *tiling)) {
	panels := divUp(t.y.depth, panelWidth())
	each := divUp(panels, threads)
	if even := 4*panels >= 3*threads*each; threads == 1 || !few || !even {
		f(threads, t)
		return
	}
	par.Blocks(threads, t.y.depth, each*panelWidth(), func(lo, hi int) {
		part := *t
		part.y.c0, part.y.depth = t.y.c0+lo, hi-lo
		f(1, &part)
	})
}

// forwardWinograd is Forward by Winograd's convolution.
func (g Geometry) forwardWinograd(threads int, y, x, w, bias []float32, relu bool) {
	f := g.form(forward)
	for i := range g.groups() {
		t := newTiling(f, g.inputGroup(x, i), g.outputGroup(y, i), g.Pad)
		t.share(threads, t.fewTiles(), func(threads int, t *tiling) {
			filters := packForward(threads, f, w[t.y.c0*g.patch():], t.y.depth, t.x.depth)
			defer filters.release()
			t.convolve(threads, filters, Epilogue{Bias: bias, ReLU: relu}.columns(t.y.c0, t.y.c0+t.y.depth))
		})
	}
}

// backwardDataWinograd is BackwardData by Winograd's convolution.
func (g Geometry) backwardDataWinograd(threads int, dx, dy, w []float32) {
	f := g.form(backwardData)
	for i := range g.groups() {
		in, out := g.inputGroup(dx, i), g.outputGroup(dy, i)
		t := newTiling(f, out, in, g.adjoint().Pad)
		t.share(threads, t.fewTiles(), func(threads int, t *tiling) {
			filters := packBackward(threads, f, w[out.c0*g.patch()+t.y.c0-in.c0:], out.depth, in.depth, t.y.depth)
			defer filters.release()
			t.convolve(threads, filters, Epilogue{})
		})
	}
}

// backwardWeightsWinograd is the gradient of the filters by Winograd's convolution: sums
// over tiles.
func (g Geometry) backwardWeightsWinograd(threads int, dw, x, dy []float32) {
	f := g.form(backwardWeights)
	for i := range g.groups() {
		in, out := g.inputGroup(x, i), g.outputGroup(dy, i)
		newTiling(f, in, out, g.Pad).gradient(threads, dw[out.c0*g.patch():][:out.depth*g.patch()])
	}
}
