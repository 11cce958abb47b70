package conv

import (
	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
)

// scatter is BackwardData at any stride: the gradients of the patches of a row of
// the output are a product, and each is added where its terms came from. Terms that
// lie side by side in the image, a stretch, are added as whole vectors, the last
// filled up with zeros.
func (g Geometry) scatter(threads int, dx, dy, w []float32) {
	out, depth := g.Out/g.groups(), g.C/g.groups()
	length, stretches := g.KW*depth, g.KH
	if depth < g.C {
		length, stretches = depth, g.KH*g.KW
	}
	whole := divUp(length, 8) * 8
	k := stretches * whole
	size := level3.PreparedLen(k, out)
	packed := level3.Scratch(g.groups() * size)
	defer level3.Release(packed)
	filters := make([]level3.Prepared, g.groups())
	padded := make([]float32, out*k)
	for i := range filters {
		for s := range out * stretches {
			copy(padded[s*whole:], w[(i*out*stretches+s)*length:][:length])
		}
		filters[i] = level3.Prepare((*packed)[i*size:], k, out)
		filters[i].Fill(0, k, level3.Cols{Data: padded, Stride: k})
	}

	height, row := g.H+2*g.Pad, g.row()
	par.For(threads, g.N, func(n int) {
		buf := level3.Scratch(height*row + whole + g.OutW()*k)
		defer level3.Release(buf)
		image, terms := (*buf)[:height*row+whole], (*buf)[height*row+whole:]
		clear(image)
		for oy := range g.OutH() {
			units := reach(dy[(n*g.OutH()+oy)*g.OutW()*g.Out:], (g.OutW()+beyond)*g.Out)
			for i, f := range filters {
				f.Times(g.OutW(), asm.Left{Data: units[i*out:], Row: g.Out, Col: 1}, terms, k, level3.End{})
				g.addPatches(image[oy*g.Stride*row+i*depth:], terms, stretches, whole)
			}
		}
		for y := range g.H {
			copy(dx[(n*g.H+y)*g.W*g.C:][:g.W*g.C], image[(y+g.Pad)*row+g.Pad*g.C:])
		}
	})
}

// addPatches adds the terms of a row of patches to the image from where the first
// begins.
func (g Geometry) addPatches(image, terms []float32, stretches, whole int) {
	tier, perRow := asm.Active(), stretches/g.KH
	for ox := range g.OutW() {
		for s := range stretches {
			at := s/perRow*g.row() + (ox*g.Stride+s%perRow)*g.C
			tier.Add(image[at:][:whole], terms[(ox*stretches+s)*whole:][:whole])
		}
	}
}
