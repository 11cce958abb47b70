package dense

import (
	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/internal/par"
)

// Packed is a matrix in the order in which products read it, which pays for a matrix
// that a few rows are multiplied by again and again.
type Packed struct {
	tier asm.Tier
	k, n int
	data []float64 // runs of kc terms; in each, panels of a tile's columns
}

// Pack copies the k x n matrix b.
func Pack(threads, k, n int, b View) *Packed {
	p := &Packed{tier: asm.Active(), k: k, n: n}
	_, cols := p.tier.ProductTile()
	p.data = make([]float64, k*roundUp(n, cols))
	for k0 := 0; k0 < k; k0 += kc {
		depth := min(kc, k-k0)
		par.Blocks(threads, n, 8*cols, func(j0, j1 int) {
			pack(p.panels(k0, j0), cols, j1-j0, depth, 1, b.from(k0, j0).T())
		})
	}
	return p
}

// panels returns those from term k0 and column j0 on, which begin a run and a panel.
func (p *Packed) panels(k0, j0 int) []float64 {
	_, cols := p.tier.ProductTile()
	return p.data[k0*roundUp(p.n, cols)+j0*min(kc, p.k-k0):]
}

// Product adds A B to the m x n matrix C, for A of m x k, with the bits of Gemm.
func (p *Packed) Product(threads, m int, a View, c []float64, ldc int) {
	rows, cols := p.tier.ProductTile()
	left := scratch(min(kc, p.k) * roundUp(min(m, mc), rows))
	defer release(left)
	for i0 := 0; i0 < m; i0 += mc {
		height := min(mc, m-i0)
		for k0 := 0; k0 < p.k; k0 += kc {
			depth := min(kc, p.k-k0)
			pack(*left, rows, height, depth, 1, a.from(i0, k0))
			par.Blocks(threads, p.n, 16*cols, func(j0, j1 int) {
				tiles(p.tier, height, j1-j0, depth, *left, p.panels(k0, j0), c[i0*ldc+j0:], ldc)
			})
		}
	}
}
