package conv

import (
	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
)

// segmentShape is how the terms of a filter lie side by side in an image: count segments
// of the same length, which is padded to whole vectors.
type segmentShape struct{ count, length, padded int }

// segmentShape returns that of a filter of g.
func (g Geometry) segmentShape() segmentShape {
	depth := g.C / g.groups()
	if depth < g.C { // a position each, else a row of positions
		return segmentShape{g.KH * g.KW, depth, divUp(depth, 8) * 8}
	}
	return segmentShape{g.KH, g.KW * depth, divUp(g.KW*depth, 8) * 8}
}

// backwardDataScatter is BackwardData at any stride: the gradients of the patches of a row
// of the output are a product, and each is added where its terms came from. Terms that
// lie side by side in the image, a segment, are added as whole vectors, the last
// filled up with zeros, and so is the last tile of the product.
func (g Geometry) backwardDataScatter(threads int, dx, dy, w []float32) {
	out, depth, s := g.Out/g.groups(), g.C/g.groups(), g.segmentShape()
	k := paddedColumns(s.count * s.padded)
	filters, packed := g.packSegments(w, s)
	defer level3.Release(packed)

	height, row := g.H+2*g.Pad, g.rowLen()
	par.For(threads, g.N, func(n int) {
		buf := level3.Scratch(height*row + s.padded + g.OutW()*k)
		defer level3.Release(buf)
		image, terms := (*buf)[:height*row+s.padded], (*buf)[height*row+s.padded:]
		clear(image)
		for oy := range g.OutH() {
			units := withRoom(dy[(n*g.OutH()+oy)*g.OutW()*g.Out:], (g.OutW()+overread)*g.Out)
			for i, f := range filters {
				f.Multiply(g.OutW(), asm.PanelA{Data: units[i*out:], RowStride: g.Out, ColStride: 1}, terms, k, level3.Epilogue{})
				g.addPatches(image[oy*g.Stride*row+i*depth:], terms, s)
			}
		}
		for y := range g.H {
			copy(dx[(n*g.H+y)*g.W*g.C:][:g.W*g.C], image[(y+g.Pad)*row+g.Pad*g.C:])
		}
	})
}

// packSegments packs the filters of each group, whose terms are in padded segments. Their
// memory is to be released.
func (g Geometry) packSegments(w []float32, s segmentShape) ([]level3.PackedB, *[]float32) {
	out, k := g.Out/g.groups(), paddedColumns(s.count*s.padded)
	size := level3.PackedLen(k, out)
	packed := level3.Scratch(g.groups() * size)
	filters := make([]level3.PackedB, g.groups())
	padded := make([]float32, out*k)
	for i := range filters {
		for x := range out * s.count {
			copy(padded[x/s.count*k+x%s.count*s.padded:], w[(i*out*s.count+x)*s.length:][:s.length])
		}
		filters[i] = level3.NewPackedB((*packed)[i*size:], k, out)
		filters[i].Pack(0, k, level3.Cols{Data: padded, Stride: k})
	}
	return filters, packed
}

// addPatches adds the terms of a row of patches to the image from where the first
// begins.
func (g Geometry) addPatches(image, terms []float32, s segmentShape) {
	tier, perRow, k := asm.Active(), s.count/g.KH, paddedColumns(s.count*s.padded)
	for ox := range g.OutW() {
		for i := range s.count {
			at := i/perRow*g.rowLen() + (ox*g.Stride+i%perRow)*g.C
			tier.Add(image[at:][:s.padded], terms[ox*k+i*s.padded:][:s.padded])
		}
	}
}
