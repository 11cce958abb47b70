package asm

// Tile is the shape of the block of C that one call of Gemm computes: MR rows
// by NR columns.
type Tile struct{ MR, NR int }

// tiles gives each tier's tile. The accumulators fill the register file, less
// what holds a row of B and one broadcast element of A:
//
//	AVX2    6 x 16: 6*2 accumulators + 2 of B + 1 of A = 15 of 16 YMM
//	AVX512 12 x 32: 12*2 accumulators + 2 of B + 1 of A = 27 of 32 ZMM
//
// Each step of k does MR*NR/width independent multiply-adds, 12 or 24, which
// hides their latency of 4 at two a cycle.
var tiles = [...]Tile{Portable: {4, 8}, AVX2: {6, 16}, AVX512: {12, 32}}

// MaxTile is the number of elements of the largest tile.
const MaxTile = 12 * 32

// Tile returns the shape that Gemm works on in this tier.
func (t Tier) Tile() Tile { return tiles[t] }

// Gemm computes one tile of a matrix product from A and B with any strides:
//
//	s := sum over k < kc of a[i*rs+k*cs] * b[k*ldb+j], one FMA a term, k rising
//	c[i*ldc+j] = s, or c[i*ldc+j] + s if accumulate
//
// for i < MR and j < NR. Panels packed for it have rs = 1, cs = MR and
// ldb = NR. Exactly the tile at c is touched. kc is positive, the strides are not negative.
func (t Tier) Gemm(kc int, a []float32, rs, cs int, b []float32, ldb int, c []float32, ldc int, accumulate bool) {
	tile := tiles[t]
	_ = c[(tile.MR-1)*ldc+tile.NR-1]
	_, _ = a[(tile.MR-1)*rs+(kc-1)*cs], b[(kc-1)*ldb+tile.NR-1]
	switch t {
	case AVX512:
		gemm12x32(kc, &a[0], rs, cs, &b[0], ldb, &c[0], ldc, accumulate)
	case AVX2:
		gemm6x16(kc, &a[0], rs, cs, &b[0], ldb, &c[0], ldc, accumulate)
	default:
		gemmPortable(tile, kc, a, rs, cs, b, ldb, c, ldc, accumulate)
	}
}

// gemmPortable is Gemm's definition, for a tile of any shape up to MaxTile.
func gemmPortable(t Tile, kc int, a []float32, rs, cs int, b []float32, ldb int, c []float32, ldc int, accumulate bool) {
	var s [MaxTile]float32
	for k := range kc {
		bk := b[k*ldb:][:t.NR]
		for i := range t.MR {
			x, si := a[i*rs+k*cs], s[i*t.NR:][:t.NR]
			for j, y := range bk {
				si[j] = FMA(x, y, si[j])
			}
		}
	}
	for i := range t.MR {
		ci, si := c[i*ldc:][:t.NR], s[i*t.NR:][:t.NR]
		if accumulate {
			for j, v := range si {
				ci[j] += v
			}
		} else {
			copy(ci, si)
		}
	}
}
