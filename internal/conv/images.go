package conv

import (
	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
)

// images are channels [c0, c0+depth) of n images of h x w positions and c
// channels.
type images struct {
	data         []float32
	n, h, w      int
	c, c0, depth int
}

// group returns group i of n images of h x w positions and c channels.
func (g Geometry) group(data []float32, h, w, c, i int) images {
	depth := c / g.groups()
	return images{data, g.N, h, w, c, i * depth, depth}
}

// inputGroup and outputGroup are the two sides of group i.
func (g Geometry) inputGroup(x []float32, i int) images { return g.group(x, g.H, g.W, g.C, i) }
func (g Geometry) outputGroup(y []float32, i int) images {
	return g.group(y, g.OutH(), g.OutW(), g.Out, i)
}

// pad returns the images x with Pad zeros on each side; see images.pad.
func (g Geometry) pad(threads int, x []float32) ([]float32, *[]float32) {
	return images{data: x, n: g.N, h: g.H, w: g.W, c: g.C}.pad(threads, g.Pad, g.Pad)
}

// pad copies images, of all channels, into the middle of ones with padY more rows and padX
// more columns on each side, all zero; negative padding cuts off. What it returns is to be
// released; without padding it is the images themselves, and nil.
func (m images) pad(threads, padY, padX int) ([]float32, *[]float32) {
	if padY == 0 && padX == 0 {
		return m.data, nil
	}
	height, width := m.h+2*padY, m.w+2*padX
	buf := level3.Scratch(m.n * height * width * m.c)
	par.Blocks(threads, m.n*height, max(1, padBlock/(width*m.c)), func(lo, hi int) {
		for row := lo; row < hi; row++ {
			dst := (*buf)[row*width*m.c:][:width*m.c]
			i, y := row/height, row%height-padY
			if y < 0 || y >= m.h {
				clear(dst)
				continue
			}
			src := m.data[(i*m.h+y)*m.w*m.c:][:m.w*m.c]
			if padX < 0 {
				copy(dst, src[-padX*m.c:])
				continue
			}
			clear(dst[:padX*m.c])
			copy(dst[padX*m.c:], src)
			clear(dst[(padX+m.w)*m.c:])
		}
	})
	return *buf, buf
}

// padBlock is about how many floats a thread pads at a time.
const padBlock = 1 << 14

// vectors is the number of channels in whole vectors, for which the transforms
// have kernels.
func (m images) vectors() int { return divUp(m.depth, 8) * 8 }

// tile returns a grid of size x size positions of image n, of which (y, x) is the
// first, with zeros outside the image and beyond the last channel: in place, or
// copied to scratch.
func (m images) tile(scratch []float32, n, y, x, size int) asm.Grid {
	contained := y >= 0 && x >= 0 && y+size <= m.h && x+size <= m.w
	if contained && m.depth%8 == 0 && !aliases(m.c) {
		return asm.Grid{Data: m.data[((n*m.h+y)*m.w+x)*m.c+m.c0:], RowStride: m.w * m.c, ColStride: m.c}
	}
	col := m.vectors() + cacheLine
	row := size * col
	for i := range size {
		for j := range size {
			dst := scratch[i*row+j*col:][:m.vectors()]
			if y+i < 0 || y+i >= m.h || x+j < 0 || x+j >= m.w {
				clear(dst)
				continue
			}
			src := m.data[((n*m.h+y+i)*m.w+x+j)*m.c+m.c0:][:m.depth]
			clear(dst[copy(dst, src):])
		}
	}
	return asm.Grid{Data: scratch, RowStride: row, ColStride: col}
}

// cacheLine is a line of the cache, in floats. Grids of a power of two of floats apart
// would meet in the same few sets of the first-level cache; a line more between them, and
// they do not.
const cacheLine = 16

// aliases reports whether positions of c channels each meet in few sets.
func aliases(c int) bool { return c%256 == 0 }

func divUp(n, by int) int { return (n + by - 1) / by }
