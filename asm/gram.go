package asm

// gramRun is how many terms Gram sums by themselves.
const gramRun = 32

// gramAhead is how many lines of 64 bytes a kernel asks for before each run.
const gramAhead = 12

// Gram adds products of the vectors of packed panels, whose terms lie ld apart, to sums in
// float64. Terms come in runs of 32, the last of which may be shorter:
//
//	s := sum over the k of a run of a[k*ld+i] * b[k*ld+j], one FMA a term, k rising
//	c[i*ldc+j] += the s of all runs, added in turn in float32, from zero
//
// for i < rows and j < cols, each of which is the width of a panel, the tile's NR, or rows
// half of it, or both. kc is positive.
//
// Meanwhile it asks for the memory that ahead begins with to come nearer, of which it reads
// no value; see GramAhead. Empty is nothing.
func (t Tier) Gram(rows, cols, kc int, a, b []float32, ld int, c []float64, ldc int, ahead []float32) {
	width, lanes := tiers[t].tile.NR, tiers[t].lanes
	_, _, _ = a[(kc-1)*ld+rows-1], b[(kc-1)*ld+cols-1], c[(rows-1)*ldc+cols-1]
	if kc < 1 || rows != width && rows != width/2 || cols != width && (rows == width || cols != rows) {
		panic("asm: no such tile")
	}
	next := &a[0]
	if len(ahead) > 0 {
		next = &ahead[0]
	}
	switch {
	case lanes == 0:
		gramPortable(rows, cols, kc, a, b, ld, c, ldc)
	case lanes == 16 && cols == width:
		gram8x32(rows/8, kc, &a[0], &b[0], ld, &c[0], ldc, next)
	case lanes == 16:
		gram16x16(1, kc, &a[0], &b[0], ld, &c[0], ldc, next)
	case cols < width:
		gram8x8(1, kc, &a[0], &b[0], ld, &c[0], ldc, next)
	case rows < width:
		gram4x16(2, kc, &a[0], &b[0], ld, &c[0], ldc, next)
	default:
		gram6x16(2, kc, &a[0], &b[0], ld, &c[0], ldc, next)
		gram4x16(1, kc, &a[12], &b[0], ld, &c[12*ldc], ldc, next)
	}
}

// GramAhead returns how many floats Gram asks for during a product of two panels of kc terms.
func (t Tier) GramAhead(kc int) int {
	rows := 8 // of a tile
	switch tiers[t].lanes {
	case 0:
		return 0
	case 8:
		rows = 6
	}
	return (tiers[t].tile.NR + rows - 1) / rows * ((kc + gramRun - 1) / gramRun) * gramAhead * 16
}

// gramPortable is Gram's definition.
func gramPortable(rows, cols, kc int, a, b []float32, ld int, c []float64, ldc int) {
	for i := 0; i < rows; i += 4 {
		for j := 0; j < cols; j += 4 {
			var sums [16]float32
			for k := 0; k < kc; k += gramRun {
				var s [16]float32
				addTerms4x4(&s, min(gramRun, kc-k), a[k*ld+i:], 1, ld, b[k*ld+j:], ld)
				for x, v := range s {
					sums[x] += v
				}
			}
			for x, v := range sums {
				c[(i+x/4)*ldc+j+x%4] += float64(v)
			}
		}
	}
}
