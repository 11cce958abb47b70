package level3

import "github.com/convergent-go/convergent/asm"

// Prepared is a B of n vectors of k terms that is packed once, for many products.
type Prepared struct {
	n, k  int
	right right
}

// Width is how many vectors a packed panel holds.
func Width() int { return asm.Active().Tile().Width }

// PreparedLen returns how many floats n vectors of k terms take when packed.
func PreparedLen(n, k int) int { return roundUp(n, Width()) * k }

// Prepare returns a B in the given memory, of PreparedLen(n, k) floats, whose
// vectors are to be filled in.
func Prepare(panels []float32, n, k int) Prepared {
	return Prepared{n, k, right{panels[:PreparedLen(n, k)], Width(), min(k, KC)}}
}

// InPlace returns a B that is read where it lies: term k of vector j is
// data[k*stride+j]. It reports false if vectors do not fill the last tile.
func InPlace(data []float32, stride, n, k int) (b Prepared, ok bool) {
	return Prepared{n, k, right{data, stride, 1}}, n%Width() == 0
}

// Fill packs vectors [0, j1-j0) of b as vectors [j0, j1). j0 is a multiple of the
// width of a tile, and so is j1 unless it is the number of vectors.
func (p Prepared) Fill(j0, j1 int, b Operand) {
	width := Width()
	for k := 0; k < p.k; k += KC {
		end := min(p.k, k+KC)
		b.Pack(p.right.data[k*roundUp(p.n, width)+j0*(end-k):], width, 0, j1-j0, k, end)
	}
}

// Times is Gemm for the m vectors of a, in the calling thread. Memory must reach to
// where the last tile ends, up to 7 vectors further. Only of an A without runs, and a
// B that was packed, may there be more than KC terms.
func (p Prepared) Times(m int, a asm.Left, c []float32, ldc int, end End) {
	tier := asm.Active()
	tile := tier.Tile()
	q := product{m: m, n: p.n, k: p.k, c: c, ldc: ldc, end: end, tier: tier, tile: tile}
	width := roundUp(p.n, tile.Width)
	for k := 0; k < p.k; k += KC {
		kc, a, b := min(KC, p.k-k), a, p.right
		a.Data = a.Data[k*a.Col:]
		b.data, b.step = b.data[k*width:], min(b.step, kc)
		q.macro(view{Left: a}, cut(tile, m), b, 0, m, 0, p.n, k, kc)
	}
}
