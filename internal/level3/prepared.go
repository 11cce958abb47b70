package level3

import "github.com/convergent-go/convergent/asm"

// Prepared is a B of n vectors of k terms that is packed once, for many products.
type Prepared struct {
	n, k   int
	panels []float32
}

// PreparedLen returns how many floats n vectors of k terms take when packed.
func PreparedLen(n, k int) int { return roundUp(n, asm.Active().Tile().Width) * k }

// Prepare returns a B in the given memory, of PreparedLen(n, k) floats, whose
// vectors are to be filled in.
func Prepare(panels []float32, n, k int) Prepared {
	return Prepared{n, k, panels[:PreparedLen(n, k)]}
}

// Fill packs vectors [0, j1-j0) of b as vectors [j0, j1). j0 is a multiple of the
// width of a tile, and so is j1 unless it is the number of vectors.
func (p Prepared) Fill(j0, j1 int, b Operand) {
	width := asm.Active().Tile().Width
	for k := 0; k < p.k; k += KC {
		end := min(p.k, k+KC)
		b.Pack(p.panels[k*roundUp(p.n, width)+j0*(end-k):], width, 0, j1-j0, k, end)
	}
}

// Times computes C = A B^T, or C += A B^T if accumulate, in the calling thread,
// for the m vectors a[i*rs+k*cs]. Memory must reach to where the last tile ends, a
// up to 7 vectors further.
func (p Prepared) Times(m int, a []float32, rs, cs int, c []float32, ldc int, accumulate bool) {
	tier := asm.Active()
	tile := tier.Tile()
	q := product{m: m, n: p.n, k: p.k, c: c, ldc: ldc, tier: tier, tile: tile}
	for k := 0; k < p.k; k += KC {
		kc := min(KC, p.k-k)
		left := asm.Left{Data: a[k*cs:], Row: rs, Col: cs}
		q.macro(view{Left: left}, cut(tile, m), p.panels[k*roundUp(p.n, tile.Width):], 0, m, 0, p.n, kc, accumulate || k > 0)
	}
}
