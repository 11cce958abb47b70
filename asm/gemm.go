package asm

// Tile is the shape of the blocks of C that a call of Gemm computes: High or Low
// rows by Width columns.
type Tile struct{ High, Low, Width int }

// tiles gives each tier's tiles. Accumulators of the high one fill the register
// file, less what holds a row of B and one broadcast element of A:
//
//	AVX2    6 x 16: 6*2 accumulators + 2 of B + 1 of A = 15 of 16 YMM
//	AVX512 12 x 32: 12*2 accumulators + 2 of B + 1 of A = 27 of 32 ZMM
//
// Each term takes so many independent multiply-adds, 12 or 24, that their latency of
// 4 is hidden at two a cycle; the 8 or 16 of the low one still do. With both, the
// rows of C hardly ever end in a part of a tile.
var tiles = [...]Tile{Portable: {4, 2, 8}, AVX2: {6, 4, 16}, AVX512: {12, 8, 32}}

// MaxTile is the number of elements of the largest tile.
const MaxTile = 12 * 32

// Tile returns the shapes that Gemm works on in this tier.
func (t Tier) Tile() Tile { return tiles[t] }

// Left is the A of a tile: term k of vector i is
//
//	Data[i*Row + k%Run*Col + k/Run*Jump]
//
// Terms come in runs, of which a Run of 0 means one. No step is negative.
type Left struct {
	Data     []float32
	Row, Col int
	Run      int
	Jump     int
}

// End is how a tile ends: what is added to its sums, element (i, j) of which is
// Add[i*Stride+j], and the floor that what is below is raised to. A nil Add is
// nothing; to accumulate, Add is C itself.
type End struct {
	Add    []float32
	Stride int
	Floor  float32
}

// Gemm computes a tile of a matrix product:
//
//	s := sum over k < kc of a_i[k] * b[k*ldb+j], one FMA a term, k rising
//	c[i*ldc+j] = max(s + end.Add[i*end.Stride+j], end.Floor)
//
// for i < rows, which is the tile's High or Low, and j < Width. Exactly the tile at
// c is touched. kc is positive and a multiple of the run.
func (t Tier) Gemm(rows, kc int, a Left, b []float32, ldb int, c []float32, ldc int, end End) {
	tile := tiles[t]
	if a.Run == 0 {
		a.Run = kc
	}
	runs := kc / a.Run
	_ = c[(rows-1)*ldc+tile.Width-1]
	_, _ = a.Data[(rows-1)*a.Row+(a.Run-1)*a.Col+(runs-1)*a.Jump], b[(kc-1)*ldb+tile.Width-1]
	if runs*a.Run != kc || rows != tile.High && rows != tile.Low {
		panic("asm: no such tile")
	}
	var add *float32
	if end.Add != nil {
		_ = end.Add[(rows-1)*end.Stride+tile.Width-1]
		add = &end.Add[0]
	}
	// Direct calls, so that arrays of the caller's may stay on its stack.
	switch {
	case t == Portable:
		gemmPortable(rows, tile.Width, kc, a, b, ldb, c, ldc, end)
	case t == AVX512 && rows == tile.High:
		gemm12x32(runs, a.Run, &a.Data[0], a.Row, a.Col, a.Jump, &b[0], ldb, &c[0], ldc, add, end.Stride, end.Floor)
	case t == AVX512:
		gemm8x32(runs, a.Run, &a.Data[0], a.Row, a.Col, a.Jump, &b[0], ldb, &c[0], ldc, add, end.Stride, end.Floor)
	case rows == tile.High:
		gemm6x16(runs, a.Run, &a.Data[0], a.Row, a.Col, a.Jump, &b[0], ldb, &c[0], ldc, add, end.Stride, end.Floor)
	default:
		gemm4x16(runs, a.Run, &a.Data[0], a.Row, a.Col, a.Jump, &b[0], ldb, &c[0], ldc, add, end.Stride, end.Floor)
	}
}

// gramRun is how many terms Gram sums by themselves.
const gramRun = 32

// Gram computes a tile of a product of packed operands, whose terms lie ld apart, in
// runs of 32 terms, the last of which may be shorter:
//
//	s := sum over the k of a run of a[k*ld+i] * b[k*ld+j], one FMA a term, k rising
//	c[i*ldc+j] = s of the first run, to which those of the others are added in turn
//
// for i < rows, which is the tile's High or Low, and j < Width. kc is positive.
func (t Tier) Gram(rows, kc int, a, b []float32, ld int, c []float32, ldc int) {
	tile := tiles[t]
	_, _, _ = a[(kc-1)*ld+rows-1], b[(kc-1)*ld+tile.Width-1], c[(rows-1)*ldc+tile.Width-1]
	if kc < 1 || rows != tile.High && rows != tile.Low {
		panic("asm: no such tile")
	}
	switch {
	case t == Portable:
		gramPortable(rows, tile.Width, kc, a, b, ld, c, ldc)
	case t == AVX512 && rows == tile.High:
		gram12x32(kc, &a[0], &b[0], ld, &c[0], ldc)
	case t == AVX512:
		gram8x32(kc, &a[0], &b[0], ld, &c[0], ldc)
	case rows == tile.High:
		gram6x16(kc, &a[0], &b[0], ld, &c[0], ldc)
	default:
		gram4x16(kc, &a[0], &b[0], ld, &c[0], ldc)
	}
}

// gramPortable is Gram's definition, for a tile of any shape.
func gramPortable(rows, width, kc int, a, b []float32, ld int, c []float32, ldc int) {
	for i := range rows {
		for j := range width {
			var sum float32
			for from := 0; from < kc; from += gramRun {
				var s float32
				for k := from; k < min(kc, from+gramRun); k++ {
					s = FMA(a[k*ld+i], b[k*ld+j], s)
				}
				if from > 0 {
					s += sum
				}
				sum = s
			}
			c[i*ldc+j] = sum
		}
	}
}

// gemmPortable is Gemm's definition, for a tile of any shape up to MaxTile.
func gemmPortable(rows, width, kc int, a Left, b []float32, ldb int, c []float32, ldc int, end End) {
	var s [MaxTile]float32
	for k := range kc {
		at, bk := k%a.Run*a.Col+k/a.Run*a.Jump, b[k*ldb:][:width]
		for i := range rows {
			x, si := a.Data[i*a.Row+at], s[i*width:][:width]
			for j, y := range bk {
				si[j] = FMA(x, y, si[j])
			}
		}
	}
	for i := range rows {
		ci := c[i*ldc:][:width]
		for j, v := range s[i*width:][:width] {
			if end.Add != nil {
				v += end.Add[i*end.Stride+j]
			}
			if v < end.Floor {
				v = end.Floor
			}
			ci[j] = v
		}
	}
}
