package asm

// Tile is the shape of the blocks of C that a call of Gemm computes: MR or MRShort rows
// by NR columns. Accumulators of the full one fill the register file, less what holds a
// row of B and one broadcast element of A:
//
//	AVX2    6 x 16: 6*2 accumulators + 2 of B + 1 of A = 15 of 16 YMM
//	AVX512 12 x 32: 12*2 accumulators + 2 of B + 1 of A = 27 of 32 ZMM
//	NEON    6 x 16: 6*4 accumulators + 4 of B + 1 of A = 29 of 32 V
//
// Each term takes so many independent multiply-adds, 12 or 24, that their latency of
// 4 is hidden at two a cycle; the 8 or 16 of the short one still do. With both, the
// rows of C hardly ever end in a part of a tile.
type Tile struct{ MR, MRShort, NR int }

// MaxTile is the number of elements of the largest tile.
const MaxTile = 12 * 32

// Tile returns the shapes that Gemm works on in this tier.
func (t Tier) Tile() Tile { return tiers[t].tile }

// PanelA is the A of a tile: term k of vector i is
//
//	Data[i*RowStride + k%Run*ColStride + k/Run*RunStride]
//
// Terms come in runs, of which a Run of 0 means one. No stride is negative.
type PanelA struct {
	Data                 []float32
	RowStride, ColStride int
	Run, RunStride       int
}

// PanelB is the B of a tile: term k of vector j is Data[k*Stride + j].
type PanelB struct {
	Data   []float32
	Stride int
}

// Epilogue is what is done to the sums of a tile: Add[i*Stride+j] is added to element
// (i, j), which is then raised to Floor if it lies below. A nil Add is nothing; to
// accumulate, Add is C itself.
type Epilogue struct {
	Add    []float32
	Stride int
	Floor  float32
}

// Gemm computes a tile of a matrix product:
//
//	s := sum over k < kc of a_i[k] * b_j[k], one FMA a term, k rising
//	c[i*ldc+j] = max(s + e.Add[i*e.Stride+j], e.Floor)
//
// for i < rows, which is the tile's MR or MRShort, and j < NR. Exactly the tile at
// c is touched. kc is positive and a multiple of the run.
func (t Tier) Gemm(rows, kc int, a PanelA, b PanelB, c []float32, ldc int, e Epilogue) {
	tile, lanes := tiers[t].tile, tiers[t].lanes
	if a.Run == 0 {
		a.Run = kc
	}
	runs := kc / a.Run
	_ = c[(rows-1)*ldc+tile.NR-1]
	_, _ = a.Data[(rows-1)*a.RowStride+(a.Run-1)*a.ColStride+(runs-1)*a.RunStride], b.Data[(kc-1)*b.Stride+tile.NR-1]
	if runs*a.Run != kc || rows != tile.MR && rows != tile.MRShort {
		panic("asm: no such tile")
	}
	var add *float32
	if e.Add != nil {
		_ = e.Add[(rows-1)*e.Stride+tile.NR-1]
		add = &e.Add[0]
	}
	// Direct calls, so that arrays of the caller's may stay on its stack.
	switch {
	case lanes == 0:
		gemmPortable(rows, kc, a, b, c, ldc, e)
	case lanes == 16 && rows == tile.MR:
		gemm12x32(runs, a.Run, &a.Data[0], a.RowStride, a.ColStride, a.RunStride, &b.Data[0], b.Stride, &c[0], ldc, add, e.Stride, e.Floor)
	case lanes == 16:
		gemm8x32(runs, a.Run, &a.Data[0], a.RowStride, a.ColStride, a.RunStride, &b.Data[0], b.Stride, &c[0], ldc, add, e.Stride, e.Floor)
	case rows == tile.MR:
		gemm6x16(runs, a.Run, &a.Data[0], a.RowStride, a.ColStride, a.RunStride, &b.Data[0], b.Stride, &c[0], ldc, add, e.Stride, e.Floor)
	default:
		gemm4x16(runs, a.Run, &a.Data[0], a.RowStride, a.ColStride, a.RunStride, &b.Data[0], b.Stride, &c[0], ldc, add, e.Stride, e.Floor)
	}
}

// gemmPortable is Gemm's definition, for the portable tier's tile.
func gemmPortable(rows, kc int, a PanelA, b PanelB, c []float32, ldc int, e Epilogue) {
	width := tiers[Portable].tile.NR
	for j := 0; j < width; j += 4 {
		var s [16]float32
		for k := 0; k < kc; k += a.Run {
			addTerms4x4(&s, a.Run, a.Data[k/a.Run*a.RunStride:], a.RowStride, a.ColStride, b.Data[k*b.Stride+j:], b.Stride)
		}
		for i := range rows {
			e.store(c[i*ldc+j:][:4], s[4*i:][:4], i, j)
		}
	}
}

// store writes sums to a part of a row of a tile that begins at element (i, j).
func (e Epilogue) store(dst, sums []float32, i, j int) {
	for x, v := range sums {
		if e.Add != nil {
			v += e.Add[i*e.Stride+j+x]
		}
		if v < e.Floor {
			v = e.Floor
		}
		dst[x] = v
	}
}
