package level3

import (
	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/internal/par"
)

// PackB returns n vectors of k terms, packed on at most threads threads into memory of their
// own.
func PackB(threads, n, k int, v Operand) PackedB {
	b := NewPackedB(make([]float32, PackedLen(n, k)), n, k)
	const strip = 96 // a multiple of every NR
	par.Blocks(threads, n, strip, func(j0, j1 int) { b.pack(j0, j0, j1, v) })
	return b
}

// Columns returns vectors [j0, j1) of a packed B, where j0 is a multiple of the width of a
// tile.
func (b PackedB) Columns(j0, j1 int) PackedB {
	b.first, b.n = b.first+j0, j1-j0
	return b
}

// Gemm is the product of the m vectors of a with a packed B, as the function Gemm computes
// it. Unless it is nil, done is called for parts of C, rows [i0, i1) and columns [j0, j1),
// when they are computed and still in the cache: concurrently, and once for each element.
func (b PackedB) Gemm(threads, m int, a Operand, c []float32, ldc int, e Epilogue, done func(i0, i1, j0, j1 int)) {
	p := newProduct(asm.Active(), Product{M: m, N: b.n, K: b.k, A: a, C: c, LDC: ldc, Epilogue: e})
	switch {
	case m == 0 || b.n == 0:
		return
	case b.k == 0:
		p.storeEmpty()
		if done != nil {
			done(0, m, 0, b.n)
		}
		return
	}
	p.packedB = &b
	p.readInPlace()
	threads = par.Worth(threads, (m+16)*b.n*b.k/64)
	rows, cols := p.shareOfPacked(threads)
	left, few := a.(Rows)
	few = few && m <= fewPackedRows && p.tile.NR >= addedColumns
	across := (b.n + cols - 1) / cols
	par.For(threads, (m+rows-1)/rows*across, func(t int) {
		i0, j0 := t/across*rows, t%across*cols
		i1, j1 := min(m, i0+rows), min(b.n, j0+cols)
		if few {
			p.multiplyRows(left, j0, j1)
		} else {
			p.multiply(i0, i1, j0, j1)
		}
		if done != nil {
			done(i0, i1, j0, j1)
		}
	})
}

// fewPackedRows is how many rows of A are multiplied one by one with each panel of a packed B,
// which is quicker than as a tile that they do not fill.
const fewPackedRows = 2

// addedColumns is how many columns AddRows sums side by side.
const addedColumns = 32

// multiplyRows computes columns [j0, j1) of all rows of C, which are few: memory, from which B
// is read once and in the order in which it lies there, is the limit.
func (p *product) multiplyRows(a Rows, j0, j1 int) {
	width := p.tile.NR
	var sums [asm.MaxTile]float32
	for k0 := 0; k0 < p.K; k0 += KC {
		k1 := min(p.K, k0+KC)
		b, e := p.packedB.terms(j0, k0, k1), p.epilogue(k0, k1)
		for j := j0; j < j1; j += width {
			for i := range p.M {
				clear(sums[:width])
				p.tier.AddRows(sums[:width], a.Data[i*a.Stride+k0:i*a.Stride+k1], b.data[(j-j0)*b.step:], width)
				p.storeRow(sums[:min(width, j1-j)], i, j, e)
			}
		}
	}
}

// shareOfPacked divides C among threads, where B is packed: into blocks of rows, of all
// columns, or where that would leave threads idle or wait for memory, of columns, of all rows.
func (p *product) shareOfPacked(threads int) (rows, cols int) {
	rows, cols = p.rowBlock(threads), roundUp((p.N+threads-1)/threads, p.tile.NR)
	switch {
	case threads == 1:
		return rows, p.N
	case p.M <= fewPackedRows:
		return p.M, cols
	}
	rounds := (p.M + rows - 1) / rows
	byRows, byCols := (rounds+threads-1)/threads*rows*p.N, cols*(roundUp(p.M, p.tile.MRShort)+32)
	if byRows <= byCols {
		return rows, p.N
	}
	return min(mc, roundUp(p.M, p.tile.MR)), cols
}

// rowBlock is the number of rows of A that a thread packs at a time: mc, or less where that
// would leave threads idle.
func (p *product) rowBlock(threads int) int {
	parts := max(threads, 1)
	share := roundUp((p.M+parts-1)/parts, p.tile.MR)
	if rounds := (share + mc - 1) / mc; rounds > 1 {
		share = roundUp((share+rounds-1)/rounds, p.tile.MR)
	}
	return max(share, p.tile.MR)
}
