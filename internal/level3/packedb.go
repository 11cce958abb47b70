package level3

import "github.com/convergent-go/convergent/asm"

// PackedB is a B of n vectors of k terms that is packed once, for many products.
type PackedB struct {
	n, k       int
	first, all int // of vectors that lie packed side by side, the first of these, and how many
	block      blockB
}

// width is the columns of C in the tiles that all vectors take.
func (b PackedB) width() int { return roundUp(b.all, Width()) }

// Width is how many vectors a packed panel holds.
func Width() int { return asm.Active().Tile().NR }

// PackedLen returns how many floats n vectors of k terms take when packed.
func PackedLen(n, k int) int { return roundUp(n, Width()) * k }

// NewPackedB returns a B in the given memory, of PackedLen(n, k) floats, whose
// vectors are yet to be packed.
func NewPackedB(panels []float32, n, k int) PackedB {
	return PackedB{n, k, 0, n, blockB{panels[:PackedLen(n, k)], Width(), min(k, KC)}}
}

// StridedB returns a B that need not be packed, since it is read where it lies: term k of
// vector j is data[k*stride+j]. It reports false if vectors do not fill the last tile.
func StridedB(data []float32, stride, n, k int) (b PackedB, ok bool) {
	return PackedB{n, k, 0, n, blockB{data, stride, 1}}, n%Width() == 0
}

// Pack packs vectors [0, j1-j0) of v as vectors [j0, j1). j0 is a multiple of the
// width of a tile, and so is j1 unless it is the number of vectors.
func (b PackedB) Pack(j0, j1 int, v Operand) { b.pack(j0, 0, j1-j0, v) }

// pack packs vectors [i0, i1) of v as those from j0 on.
func (b PackedB) pack(j0, i0, i1 int, v Operand) {
	for k := 0; k < b.k; k += KC {
		end := min(b.k, k+KC)
		v.Pack(b.block.data[k*b.width()+j0*(end-k):], Width(), i0, i1, k, end)
	}
}

// terms returns terms [k0, k1), a block of KC or the rest, of the vectors from j0 on.
func (b PackedB) terms(j0, k0, k1 int) blockB {
	t := b.block
	t.step = min(t.step, k1-k0)
	t.data = t.data[k0*b.width()+(b.first+j0)*t.step:]
	return t
}

// Overread returns how many vectors further than m Multiply reads of A: to where the last
// tile ends.
func (b PackedB) Overread(m int) int { return newRowTiling(asm.Active().Tile(), m).total() - m }

// Multiply is Gemm for the m vectors of a, in the calling thread. Memory must reach to
// where the last tile ends, Overread vectors further. Only of an A without runs, and a
// B that was packed, may there be more than KC terms.
func (b PackedB) Multiply(m int, a asm.PanelA, c []float32, ldc int, e Epilogue) {
	p := newProduct(asm.Active(), Product{M: m, N: b.n, K: b.k, C: c, LDC: ldc, Epilogue: e})
	for k := 0; k < b.k; k += KC {
		a, end := a, min(b.k, k+KC)
		a.Data = a.Data[k*a.ColStride:]
		p.macro(block{0, m, 0, b.n, k, end}, blockA{PanelA: a, inPlace: m}, newRowTiling(p.tile, m), b.terms(0, k, end))
	}
}

// MultiplyRows is Multiply for the rows of a matrix.
func (b PackedB) MultiplyRows(m int, a Rows, c []float32, ldc int) {
	b.Multiply(m, asm.PanelA{Data: a.Data, RowStride: a.Stride, ColStride: 1}, c, ldc, Epilogue{})
}

// Size returns the number of vectors and of their terms.
func (b PackedB) Size() (n, k int) { return b.n, b.k }
