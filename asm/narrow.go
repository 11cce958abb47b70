package asm

// NarrowRows is the number of rows of a tile of Narrow.
const NarrowRows = 12

// NarrowColumns returns how many columns a tile of Narrow has at most in this tier.
func (t Tier) NarrowColumns() int { return tiers[t].narrowColumns }

// Narrow is Gemm for a tile of NarrowRows rows and at most NarrowColumns columns: for
// products with so few that most of Gemm's tile would be padding. Rows of B are read in the
// length of a whole tile, whatever the last of it holds; of C and of e.Add, only cols columns
// are.
func (t Tier) Narrow(cols, kc int, a PanelA, b PanelB, c []float32, ldc int, e Epilogue) {
	if a.Run == 0 {
		a.Run = kc
	}
	runs := kc / a.Run
	_ = c[(NarrowRows-1)*ldc+cols-1]
	_, _ = a.Data[(NarrowRows-1)*a.RowStride+(a.Run-1)*a.ColStride+(runs-1)*a.RunStride], b.Data[(kc-1)*b.Stride+tiers[t].narrowColumns-1]
	if runs*a.Run != kc || cols < 1 || cols > tiers[t].narrowColumns {
		panic("asm: no such tile")
	}
	var add *float32
	if e.Add != nil {
		_ = e.Add[(NarrowRows-1)*e.Stride+cols-1]
		add = &e.Add[0]
	}
	switch tiers[t].lanes {
	case 0:
		narrowPortable(cols, kc, a, b, c, ldc, e)
	case 8:
		narrow12x8(runs, a.Run, &a.Data[0], a.RowStride, a.ColStride, a.RunStride, &b.Data[0], b.Stride, &c[0], ldc, cols, add, e.Stride, e.Floor)
	default:
		narrow12x16(runs, a.Run, &a.Data[0], a.RowStride, a.ColStride, a.RunStride, &b.Data[0], b.Stride, &c[0], ldc, cols, add, e.Stride, e.Floor)
	}
}

// narrowPortable is Narrow's definition.
func narrowPortable(cols, kc int, a PanelA, b PanelB, c []float32, ldc int, e Epilogue) {
	for i := range NarrowRows {
		var s [8]float32
		for k := 0; k < kc; k += a.Run {
			run := a.Data[i*a.RowStride+k/a.Run*a.RunStride:]
			for t := range a.Run {
				x, row := run[t*a.ColStride], b.Data[(k+t)*b.Stride:][:cols]
				for j, y := range row {
					s[j] = FMA(x, y, s[j])
				}
			}
		}
		e.store(c[i*ldc:][:cols], s[:cols], i, 0)
	}
}
