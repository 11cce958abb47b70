package conv

import (
	"math"

	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/internal/level3"
)

// Products with few columns, as of few filters, have kernels of their own. Neither operand
// is packed.

// narrowWidth is how many columns are few.
const narrowWidth = 16

// fixedB is a B that is multiplied by A after A: a packed one, or one with few columns.
type fixedB interface {
	Overread(m int) int
	Multiply(m int, a asm.PanelA, c []float32, ldc int, e level3.Epilogue)
}

// narrowB is a B of n vectors of k terms: term k of vector j is data[k*stride+j].
type narrowB struct {
	data         []float32
	stride, n, k int
}

// newNarrowB returns a B of data, or of a copy with room for the last tile.
func newNarrowB(data []float32, stride, n, k int) narrowB {
	return narrowB{withRoom(data, (k-1)*stride+divUp(n, narrowWidth)*narrowWidth), stride, n, k}
}

// Overread is level3.PackedB's for it.
func (b narrowB) Overread(m int) int { return divUp(m, asm.NarrowRows)*asm.NarrowRows - m }

// Multiply is level3.PackedB's for it, but sums all terms in one run.
func (b narrowB) Multiply(m int, a asm.PanelA, c []float32, ldc int, e level3.Epilogue) {
	tier := asm.Active()
	width := tier.NarrowColumns()
	for j := 0; j < b.n; j += width {
		cols, panel := min(width, b.n-j), asm.PanelB{Data: b.data[j:], Stride: b.stride}
		epilogue := asm.Epilogue{Floor: float32(math.Inf(-1))}
		if e.ReLU {
			epilogue.Floor = 0
		}
		if e.Bias != nil {
			epilogue.Add = e.Bias[j:]
		}
		for i := 0; i < m; i += asm.NarrowRows {
			if i+asm.NarrowRows > m && m >= asm.NarrowRows && !e.Accumulate {
				i = m - asm.NarrowRows // some rows again
			}
			rows, tile := a, c[i*ldc+j:]
			rows.Data = a.Data[i*a.RowStride:]
			if e.Accumulate {
				epilogue.Add, epilogue.Stride = tile, ldc
			}
			if i+asm.NarrowRows <= m {
				tier.Narrow(cols, b.k, rows, panel, tile, ldc, epilogue)
				continue
			}
			var edge [asm.NarrowRows * narrowWidth]float32
			left := m - i
			if e.Accumulate {
				for r := range left {
					copy(edge[r*narrowWidth:][:cols], tile[r*ldc:])
				}
				epilogue.Add, epilogue.Stride = edge[:], narrowWidth
			}
			tier.Narrow(cols, b.k, rows, panel, edge[:], narrowWidth, epilogue)
			for r := range left {
				copy(tile[r*ldc:][:cols], edge[r*narrowWidth:])
			}
		}
	}
}

// narrow reports whether g is computed by products with few columns in a direction.
func (g Geometry) narrow(d direction) bool {
	switch {
	case g.groups() > 1 || g.OutW() < asm.NarrowRows || g.W < asm.NarrowRows:
		return false
	case d == backwardData:
		return g.Stride == 1 && g.KH == g.KW && g.C <= narrowWidth && (g.C >= 8 || g.Out <= narrowWidth) && g.KH*g.KW*g.Out <= 2*level3.KC
	}
	return g.Out <= narrowWidth && g.direct()
}

// backwardDataNarrow is BackwardData with few channels, a row of the images at a time: of
// the gradient of the output in place, as forwardDirect is.
func (g Geometry) backwardDataNarrow(threads int, dx, dy, w []float32) {
	b := g.adjoint()
	padY, padX := g.KH-1-g.Pad, g.KW-1-g.Pad
	dy, padded := g.outputGroup(dy, 0).pad(threads, padY, padX)
	defer level3.Release(padded)
	taps := g.KH * g.KW
	filters := make([]float32, taps*g.Out*g.C+narrowWidth)
	for o := range g.Out {
		for i := range taps {
			copy(filters[((taps-1-i)*g.Out+o)*g.C:][:g.C], w[(o*taps+i)*g.C:])
		}
	}
	b.forwardRows(threads, dx, dy, (g.OutW()+2*padX)*g.Out, g.OutH()+2*padY, newNarrowB(filters, g.C, g.C, taps*g.Out), Epilogue{})
}
