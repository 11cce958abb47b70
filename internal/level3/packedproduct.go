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
	width := roundUp(n, Width())
	par.Blocks(threads, n, strip, func(j0, j1 int) {
		for k0 := 0; k0 < k; k0 += KC {
			end := min(k, k0+KC)
			v.Pack(b.block.data[k0*width+j0*(end-k0):], Width(), j0, j1, k0, end)
		}
	})
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
	if m == 0 || b.n == 0 {
		return
	}
	threads = par.Worth(threads, (m+16)*b.n*b.k/64)
	rows, cols := p.shareOfPacked(threads)
	blocks, strips := (m+rows-1)/rows, (b.n+cols-1)/cols
	par.For(threads, blocks*strips, func(t int) {
		i, j := t/strips*rows, t%strips*cols
		x := block{i0: i, i1: min(m, i+rows), j0: j, j1: min(b.n, j+cols), k1: b.k}
		b.multiply(p, x)
		if done != nil {
			done(x.i0, x.i1, x.j0, x.j1)
		}
	})
}

// shareOfPacked divides C among threads, where B is packed: into blocks of rows, of all
// columns, or where that would leave threads idle or wait for memory, of columns, of all rows.
func (p *product) shareOfPacked(threads int) (rows, cols int) {
	rows, cols = p.rowBlock(threads), roundUp((p.N+threads-1)/threads, p.tile.NR)
	if threads == 1 {
		return rows, p.N
	}
	rounds := (p.M + rows - 1) / rows
	byRows, byCols := (rounds+threads-1)/threads*rows*p.N, cols*(roundUp(p.M, p.tile.MRShort)+32)
	if byRows <= byCols {
		return rows, p.N
	}
	return min(mc, roundUp(p.M, p.tile.MR)), cols
}

// multiply multiplies the rows of a block of A with columns of B.
func (b PackedB) multiply(p *product, x block) {
	rows := newRowTiling(p.tile, x.i1-x.i0)
	packed := Scratch(rows.total() * min(KC, b.k))
	defer Release(packed)
	full := min(x.i1, x.i0+rows.fullTiles*p.tile.MR)
	// With few columns, packing A would take a good part of the time. But rows a multiple of a
	// KB apart meet in few sets of the first-level cache.
	a, inPlace := p.A.(Rows)
	inPlace = inPlace && b.n <= 96 && a.Stride%256 != 0 && rows.total() == x.i1-x.i0
	for k := 0; k < b.k; k += KC {
		kc := min(KC, b.k-k)
		left := blockA{packed: *packed, kc: kc}
		if inPlace {
			left = blockA{PanelA: asm.PanelA{Data: a.Data[x.i0*a.Stride+k:], RowStride: a.Stride, ColStride: 1}, inPlace: x.i1 - x.i0}
		} else {
			p.A.Pack(*packed, p.tile.MR, x.i0, full, k, k+kc)
			p.A.Pack((*packed)[(full-x.i0)*kc:], p.tile.MRShort, full, x.i1, k, k+kc)
		}
		terms := blockB{b.block.data[k*b.width()+(b.first+x.j0)*kc:], p.tile.NR, kc}
		p.macro(block{x.i0, x.i1, x.j0, x.j1, k, k + kc}, left, rows, terms)
	}
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
