package level3

import "github.com/convergent-go/convergent/asm"

// Prepared is a B of n vectors of k terms that is packed once, for many products.
type Prepared struct {
	n, k   int
	panels []float32
}

// PreparedLen returns how many floats n vectors of k terms take when packed.
func PreparedLen(n, k int) int { return roundUp(n, asm.Active().Tile().NR) * k }

// Prepare returns a B in the given memory, of PreparedLen(n, k) floats, whose
// vectors are to be filled in.
func Prepare(panels []float32, n, k int) Prepared {
	return Prepared{n, k, panels[:PreparedLen(n, k)]}
}

// Fill packs vectors [0, j1-j0) of b as vectors [j0, j1). j0 is a multiple of the
// width of a tile, and so is j1 unless it is the number of vectors.
func (p Prepared) Fill(j0, j1 int, b Operand) {
	nr := asm.Active().Tile().NR
	for k := 0; k < p.k; k += KC {
		end := min(p.k, k+KC)
		b.Pack(p.panels[k*roundUp(p.n, nr)+j0*(end-k):], nr, 0, j1-j0, k, end)
	}
}

// Times computes C = A B^T, or C += A B^T if accumulate, in the calling thread,
// for the m vectors a[i*rs+k*cs]. Panels of A are read whole: memory must reach to
// a number of vectors that is a multiple of 12.
func (p Prepared) Times(m int, a []float32, rs, cs int, c []float32, ldc int, accumulate bool) {
	tier := asm.Active()
	tile := tier.Tile()
	q := product{m: m, n: p.n, k: p.k, c: c, ldc: ldc, tier: tier, tile: tile}
	for k := 0; k < p.k; k += KC {
		kc := min(KC, p.k-k)
		q.macro(view{a[k*cs:], rs, cs, tile.MR * rs}, p.panels[k*roundUp(p.n, tile.NR):], 0, m, 0, p.n, kc, accumulate || k > 0)
	}
}
