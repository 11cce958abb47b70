package conv

import (
	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
)

// filters are transformed and packed, a B of products for each of the points.
type filters struct {
	points []level3.Prepared
	buf    *[]float32
}

func (f *filters) release() { level3.Release(f.buf) }

// prepareForward takes filters [out, R, R, depth]: vectors are filters, terms are
// channels.
func prepareForward(threads int, f *asm.Winograd, w []float32, out, depth int) *filters {
	width := images{depth: depth}.vectors()
	stride := width + line
	taps := f.R * f.R
	plane := columns()*stride + line
	transform := func(dst []float32, j0, j1 int) {
		whole := make([]float32, taps*width)
		for o := j0; o < j1; o++ {
			src := w[o*taps*depth:][:taps*depth]
			if depth < width { // channels to whole vectors
				for i := range taps {
					copy(whole[i*width:], src[i*depth:][:depth])
				}
				src = whole
			}
			asm.Active().Transform(f.Filter, width, dst[(o-j0)*stride:], f.Points*plane, plane, src, f.R*width, width)
		}
	}
	return prepare(threads, f, out, depth, plane, transform, func(plane []float32) level3.Operand {
		return level3.Rows{Data: plane, Stride: stride}
	})
}

// prepareBackward takes the same filters as the gradient to the image sees them, turned
// by half a circle: vectors are channels, terms are filters.
func prepareBackward(threads int, f *asm.Winograd, w []float32, out, depth int) *filters {
	width := columns()
	taps := f.R * f.R
	plane := out*width + line
	transform := func(dst []float32, j0, j1 int) {
		around := make([]float32, taps*width)
		for o := range out {
			for i := range taps {
				copy(around[i*width:], w[((o+1)*taps-1-i)*depth+j0:][:j1-j0])
			}
			asm.Active().Transform(f.Filter, width, dst[o*width:], f.Points*plane, plane, around, f.R*width, width)
		}
	}
	return prepare(threads, f, depth, out, plane, transform, func(plane []float32) level3.Operand {
		return level3.Cols{Data: plane, Stride: width}
	})
}

// columns is the number of vectors that are packed side by side.
func columns() int { return level3.Width() }

// wholeTiles is the number of columns of C in tiles that n vectors of B take.
func wholeTiles(n int) int { return divUp(n, columns()) * columns() }

// prepare packs n vectors of k terms, columns() at a time, and zeros to fill the last
// tile. transform writes the
// transforms of vectors [j0, j1) to planes of the given size, one for each point;
// operand says how they lie in a plane.
func prepare(threads int, f *asm.Winograd, n, k, plane int, transform func(dst []float32, j0, j1 int), operand func(plane []float32) level3.Operand) *filters {
	count, size := f.Points*f.Points, level3.PreparedLen(n, k)
	all := &filters{buf: level3.Scratch(count * size)}
	for p := range count {
		all.points = append(all.points, level3.Prepare((*all.buf)[p*size:], wholeTiles(n), k))
	}
	par.Blocks(threads, n, columns(), func(j0, j1 int) {
		planes := level3.Scratch(count * plane)
		defer level3.Release(planes)
		transform(*planes, j0, j1)
		for p, b := range all.points {
			b.Fill(j0, j1, operand((*planes)[p*plane:]))
		}
	})
	return all
}
