package asm

// gramRun is how many terms Gram sums by themselves.
const gramRun = 32

// Half is how many rows and columns the smallest tile of Gram has.
func (t Tile) Half() int { return t.NR / 2 }

// Gram adds a tile of a product of packed operands, whose terms lie ld apart, to sums in
// float64. Terms come in runs of 32, the last of which may be shorter:
//
//	s := sum over the k of a run of a[k*ld+i] * b[k*ld+j], one FMA a term, k rising
//	c[i*ldc+j] += the s of all runs, added in turn in float32, from zero
//
// for i < rows and j < cols, which are the tile's MR or MRShort by NR, or both its half.
// kc is positive.
func (t Tier) Gram(rows, cols, kc int, a, b []float32, ld int, c []float64, ldc int) {
	tile := tiles[t]
	_, _, _ = a[(kc-1)*ld+rows-1], b[(kc-1)*ld+cols-1], c[(rows-1)*ldc+cols-1]
	full := cols == tile.NR && (rows == tile.MR || rows == tile.MRShort)
	if kc < 1 || !full && (cols != tile.Half() || rows != tile.Half()) {
		panic("asm: no such tile")
	}
	switch {
	case t == Portable:
		gramPortable(rows, cols, kc, a, b, ld, c, ldc)
	case t == AVX512 && !full:
		gram16x16(kc, &a[0], &b[0], ld, &c[0], ldc)
	case t == AVX512 && rows == tile.MR:
		gram12x32(kc, &a[0], &b[0], ld, &c[0], ldc)
	case t == AVX512:
		gram8x32(kc, &a[0], &b[0], ld, &c[0], ldc)
	case !full:
		gram8x8(kc, &a[0], &b[0], ld, &c[0], ldc)
	case rows == tile.MR:
		gram6x16(kc, &a[0], &b[0], ld, &c[0], ldc)
	default:
		gram4x16(kc, &a[0], &b[0], ld, &c[0], ldc)
	}
}

// gramPortable is Gram's definition.
func gramPortable(rows, cols, kc int, a, b []float32, ld int, c []float64, ldc int) {
	for i := range rows {
		for j := range cols {
			var sum float32
			for k0 := 0; k0 < kc; k0 += gramRun {
				var s float32
				for k := k0; k < min(kc, k0+gramRun); k++ {
					s = FMA(a[k*ld+i], b[k*ld+j], s)
				}
				sum += s
			}
			c[i*ldc+j] += float64(sum)
		}
	}
}
