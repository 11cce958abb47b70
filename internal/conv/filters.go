package conv

import (
	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
)

// filters are transformed and packed, a B of products for each of the points.
type filters struct {
	points []level3.PackedB
	buf    *[]float32
}

func (f *filters) release() { level3.Release(f.buf) }

// packForward takes filters [out, R, R, depth]: vectors are filters, terms are
// channels.
func packForward(threads int, f *asm.Winograd, w []float32, out, depth int) *filters {
	width := images{depth: depth}.vectors()
	stride := width + cacheLine
	taps := f.R * f.R
	plane := panelWidth()*stride + cacheLine
	transform := func(dst []float32, j0, j1 int) {
		padded := make([]float32, taps*width)
		for o := j0; o < j1; o++ {
			src := w[o*taps*depth:][:taps*depth]
			if depth < width { // channels to whole vectors
				for i := range taps {
					copy(padded[i*width:], src[i*depth:][:depth])
				}
				src = padded
			}
			transformFilter(f, width, dst[(o-j0)*stride:], plane, src)
		}
	}
	return packFilters(threads, f, out, depth, plane, transform, func(plane []float32) level3.Operand {
		return level3.Rows{Data: plane, Stride: stride}
	})
}

// packBackward takes the same filters as BackwardData multiplies them, rotated by half a
// circle: vectors are the first n channels, terms are filters.
func packBackward(threads int, f *asm.Winograd, w []float32, out, depth, n int) *filters {
	width := panelWidth()
	taps := f.R * f.R
	plane := out*width + cacheLine
	transform := func(dst []float32, j0, j1 int) {
		rotated := make([]float32, taps*width)
		for o := range out {
			for i := range taps {
				copy(rotated[i*width:], w[((o+1)*taps-1-i)*depth+j0:][:j1-j0])
			}
			transformFilter(f, width, dst[o*width:], plane, rotated)
		}
	}
	return packFilters(threads, f, n, out, plane, transform, func(plane []float32) level3.Operand {
		return level3.Cols{Data: plane, Stride: width}
	})
}

// transformFilter writes the transform of a filter of the given number of channels, the
// points plane floats apart.
func transformFilter(f *asm.Winograd, channels int, dst []float32, plane int, src []float32) {
	asm.Active().Transform(f.Filter, channels,
		asm.Grid{Data: dst, RowStride: f.Points * plane, ColStride: plane},
		asm.Grid{Data: src, RowStride: f.R * channels, ColStride: channels})
}

// panelWidth is the number of vectors that are packed side by side.
func panelWidth() int { return level3.Width() }

// paddedColumns is the number of columns of C in tiles that n vectors of B take.
func paddedColumns(n int) int { return divUp(n, panelWidth()) * panelWidth() }

// packFilters packs n vectors of k terms, a panel at a time, and zeros to fill the last
// tile. transform writes the transforms of vectors [j0, j1) to planes of the given size, one
// for each point; operand says how they lie in a plane.
func packFilters(threads int, f *asm.Winograd, n, k, plane int, transform func(dst []float32, j0, j1 int), operand func(plane []float32) level3.Operand) *filters {
	points, size := f.Points*f.Points, level3.PackedLen(n, k)
	packed := &filters{buf: level3.Scratch(points * size)}
	for p := range points {
		packed.points = append(packed.points, level3.NewPackedB((*packed.buf)[p*size:], paddedColumns(n), k))
	}
	par.Blocks(threads, n, panelWidth(), func(j0, j1 int) {
		planes := level3.Scratch(points * plane)
		defer level3.Release(planes)
		transform(*planes, j0, j1)
		for p, b := range packed.points {
			b.Pack(j0, j1, operand((*planes)[p*plane:]))
		}
	})
	return packed
}
