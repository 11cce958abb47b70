package dense

import (
	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/internal/par"
)

// PackedB is a matrix in the order in which products read it, which pays for a matrix
// that a few rows are multiplied by again and again.
type PackedB struct {
	tier asm.Tier
	k, n int
	data []float64 // runs of kc terms; in each, panels of a tile's columns
}

// Pack copies the k x n matrix b.
func Pack(threads, k, n int, b View) *PackedB {
	p := &PackedB{tier: asm.Active(), k: k, n: n}
	_, cols := p.tier.ProductTile()
	p.data = make([]float64, k*roundUp(n, cols))
	for k0 := 0; k0 < k; k0 += kc {
		par.Blocks(threads, n, 8*cols, func(j0, j1 int) {
			pack(p.panels(k0, j0), cols, j1-j0, min(kc, k-k0), 1, b.slice(k0, j0).T())
		})
	}
	return p
}

// panels returns those from term k0 and column j0 on, which begin a run and a panel.
func (b *PackedB) panels(k0, j0 int) []float64 {
	_, cols := b.tier.ProductTile()
	return b.data[k0*roundUp(b.n, cols)+j0*min(kc, b.k-k0):]
}

// Multiply adds A B to the m x n matrix C, for A of m x k, with the bits of Gemm.
func (b *PackedB) Multiply(threads, m int, a View, c []float64, ldc int) {
	rows, cols := b.tier.ProductTile()
	packedA := Scratch(min(kc, b.k) * roundUp(min(m, mc), rows))
	defer Release(packedA)
	for i0 := 0; i0 < m; i0 += mc {
		height := min(mc, m-i0)
		for k0 := 0; k0 < b.k; k0 += kc {
			k := min(kc, b.k-k0)
			pack(*packedA, rows, height, k, 1, a.slice(i0, k0))
			par.Blocks(threads, b.n, 16*cols, func(j0, j1 int) {
				packedProduct{height, j1 - j0, k, *packedA, b.panels(k0, j0), c[i0*ldc+j0:], ldc}.add(b.tier)
			})
		}
	}
}
