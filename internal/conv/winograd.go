package conv

import (
	"math"

	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
)

// form returns the form of Winograd's convolution that g is computed by, or nil
// where the sum itself is quicker: at strides, with few channels, whose transforms
// would cost more than they save, or with so few tiles that transforming the
// filters would. It depends on the shape alone, so results do not depend on the
// machine.
func (g Geometry) form() *asm.Winograd {
	if g.Stride != 1 || g.KH != g.KW || min(g.C, g.Out)/g.groups() < 8 {
		return nil
	}
	var best *asm.Winograd
	least := math.MaxInt
	for _, f := range []*asm.Winograd{asm.F2x3, asm.F4x3, asm.F2x5, asm.F4x5} {
		tiles := divUp(g.OutH(), f.M) * divUp(g.OutW(), f.M)
		if products := tiles * f.Points * f.Points; f.R == g.KH && g.N*tiles >= 8 && products < least {
			best, least = f, products
		}
	}
	return best
}

func divUp(n, by int) int { return (n + by - 1) / by }

// images are channels [c0, c0+depth) of n images of h x w positions and c
// channels.
type images struct {
	data         []float32
	n, h, w      int
	c, c0, depth int
}

// vectors is the number of channels in whole vectors, for which the transforms
// have kernels.
func (m images) vectors() int { return divUp(m.depth, 8) * 8 }

// tile returns a grid of size x size positions of image n, of which (y, x) is the
// first, with zeros outside the image and beyond the last channel: in place, or
// copied to scratch.
func (m images) tile(scratch []float32, n, y, x, size int) (grid []float32, row, col int) {
	inside := y >= 0 && x >= 0 && y+size <= m.h && x+size <= m.w
	if inside && m.depth%8 == 0 && !aliases(m.c) {
		return m.data[((n*m.h+y)*m.w+x)*m.c+m.c0:], m.w * m.c, m.c
	}
	col = m.vectors() + line
	row = size * col
	for i := range size {
		for j := range size {
			to := scratch[i*row+j*col:][:m.vectors()]
			if y+i < 0 || y+i >= m.h || x+j < 0 || x+j >= m.w {
				clear(to)
				continue
			}
			from := m.data[((n*m.h+y+i)*m.w+x+j)*m.c+m.c0:][:m.depth]
			clear(to[copy(to, from):])
		}
	}
	return scratch, row, col
}

// line is a line of the cache. Grids of a power of two of floats apart would meet
// in the same few sets of the first-level cache; a line more between them, and
// they do not.
const line = 16

// aliases reports whether positions of c channels each meet in few sets.
func aliases(c int) bool { return c%256 == 0 }

// tiling cuts the output, images y, of a convolution of x into tiles.
type tiling struct {
	*asm.Winograd
	x, y   images
	pad    int
	across int // tiles in a row
	each   int // tiles of an image
}

func newTiling(f *asm.Winograd, x, y images, pad int) *tiling {
	across := divUp(y.w, f.M)
	return &tiling{f, x, y, pad, across, divUp(y.h, f.M) * across}
}

// tiles is the number of tiles of all images.
func (t *tiling) tiles() int { return t.y.n * t.each }

// at returns the image of a tile and the position of its first output.
func (t *tiling) at(tile int) (n, y, x int) {
	n, tile = tile/t.each, tile%t.each
	return n, tile / t.across * t.M, tile % t.across * t.M
}

// input writes the transform of a tile of x, planes apart.
func (t *tiling) input(dst []float32, plane, tile int, scratch []float32) {
	n, y, x := t.at(tile)
	grid, row, col := t.x.tile(scratch, n, y-t.pad, x-t.pad, t.Points)
	asm.Active().Transform(t.Input, t.x.vectors(), dst, t.Points*plane, plane, grid, row, col)
}

// output writes a tile of y from its products, planes apart.
func (t *tiling) output(src []float32, plane, tile int, bias []float32, floor float32, scratch []float32) {
	n, y, x := t.at(tile)
	m := t.y
	tier, size := asm.Active(), m.vectors()
	to := m.data[((n*m.h+y)*m.w+x)*m.c+m.c0:]
	if y+t.M <= m.h && x+t.M <= m.w && m.depth%8 == 0 {
		tier.Output(t.Output, size, to, m.w*m.c, m.c, src, t.Points*plane, plane, bias, floor)
		return
	}
	tier.Output(t.Output, size, scratch, t.M*size, size, src, t.Points*plane, plane, bias, floor)
	for i := range min(t.M, m.h-y) {
		for j := range min(t.M, m.w-x) {
			copy(to[(i*m.w+j)*m.c:][:m.depth], scratch[(i*t.M+j)*size:])
		}
	}
}

// convolve computes y, with a bias (nil: none), and zero for what is below if relu.
func (t *tiling) convolve(threads int, w *filters, bias []float32, relu bool) {
	floor := float32(math.Inf(-1))
	if relu {
		floor = 0
	}
	depth, out := t.x.vectors(), wholeTiles(t.y.depth)
	padded := make([]float32, out)
	copy(padded, bias)
	block := t.block(threads, depth+out)
	points := t.Points * t.Points
	in, made := block*depth+line, block*out+line // planes
	par.Blocks(threads, t.tiles(), block, func(lo, hi int) {
		grid := t.Points * t.Points * (max(depth, out) + line)
		buf := level3.Scratch(points*(in+made) + grid)
		defer level3.Release(buf)
		x, y, scratch := (*buf)[:points*in], (*buf)[points*in:][:points*made], (*buf)[points*(in+made):]
		for i := lo; i < hi; i++ {
			t.input(x[(i-lo)*depth:], in, i, scratch)
		}
		for p, b := range w.points {
			b.Times(hi-lo, asm.Left{Data: x[p*in:], Row: depth, Col: 1}, y[p*made:], out, level3.End{})
		}
		for i := lo; i < hi; i++ {
			t.output(y[(i-lo)*out:], made, i, padded, floor, scratch)
		}
	})
}

// block is how many tiles are transformed, multiplied and transformed back at a
// time: so many that what is kept of them fits the cache, a multiple of every High,
// and shared evenly by threads.
func (t *tiling) block(threads, channels int) int {
	most := max(24, cache/(t.Points*t.Points*channels)/12*12)
	rounds := divUp(t.tiles(), most*threads) * threads
	return divUp(divUp(t.tiles(), rounds), 12) * 12
}

// cache is how many floats of transformed tiles are kept at a time, 2 MB.
const cache = 1 << 19

// part returns group i of n images of h x w positions and c channels.
func (g Geometry) part(data []float32, h, w, c, i int) images {
	depth := c / g.groups()
	return images{data, g.N, h, w, c, i * depth, depth}
}

// input and output are the two sides of group i.
func (g Geometry) input(x []float32, i int) images  { return g.part(x, g.H, g.W, g.C, i) }
func (g Geometry) output(y []float32, i int) images { return g.part(y, g.OutH(), g.OutW(), g.Out, i) }

// forward is Forward by Winograd's convolution.
func (g Geometry) forward(threads int, f *asm.Winograd, y, x, w, bias []float32, relu bool) {
	for i := range g.groups() {
		in, out := g.input(x, i), g.output(y, i)
		filters := prepareForward(threads, f, w[out.c0*g.patch():], out.depth, in.depth)
		var b []float32
		if bias != nil {
			b = bias[out.c0:][:out.depth]
		}
		newTiling(f, in, out, g.Pad).convolve(threads, filters, b, relu)
		filters.release()
	}
}

// backwardData is BackwardData by Winograd's convolution.
func (g Geometry) backwardData(threads int, f *asm.Winograd, dx, dy, w []float32) {
	for i := range g.groups() {
		in, out := g.input(dx, i), g.output(dy, i)
		filters := prepareBackward(threads, f, w[out.c0*g.patch():], out.depth, in.depth)
		newTiling(f, out, in, g.KH-1-g.Pad).convolve(threads, filters, nil, false)
		filters.release()
	}
}

// backwardWeights is the gradient of the filters by Winograd's convolution: sums
// over tiles, some tiles at a time.
func (g Geometry) backwardWeights(threads int, f *asm.Winograd, dw, x, dy []float32) {
	for i := range g.groups() {
		in, out := g.input(x, i), g.output(dy, i)
		newTiling(f, in, out, g.Pad).gradient(threads, dw[out.c0*g.patch():][:out.depth*g.patch()])
	}
}
