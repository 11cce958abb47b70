package level3

import "github.com/convergent-go/convergent/asm"

// Panel returns panel j of a packed B of at most KC terms: term k of its vector i is
// element k*Width()+i.
func (b PackedB) Panel(j int) []float32 {
	size := b.k * Width()
	return b.block.data[j*size:][:size]
}

// Gram computes rows of C = B B^T over the terms [k0, k1), of a packed B of at most KC:
// those of panels [j0, j1), from the diagonal on. Row and column 0 of c are those of the
// first vector of panel j0. What is left of the diagonal is unspecified, and all panels'
// vectors are written, those beyond the last too.
func (b PackedB) Gram(j0, j1, k0, k1 int, c []float32, ldc int) {
	tier := asm.Active()
	width := tier.Tile().NR
	for i := j0; i*width < b.n; i++ { // columns: a panel stays in the cache for all rows
		for j := j0; j < j1 && j <= i; j++ {
			p := panelProduct{k1 - k0, b.Panel(j)[k0*width:], b.Panel(i)[k0*width:], width, c[(j-j0)*width*ldc+(i-j0)*width:], ldc}
			if i == j && tier == asm.AVX512 {
				// The lower left quarter of a wide panel's products with itself is
				// not needed: half of the rows take all columns, the others, by the
				// tiles of half the width, half of them.
				p.rows(tier, 0, width/2, 0)
				p.rows(asm.AVX2, width/2, width, width/2)
			} else {
				p.rows(tier, 0, width, 0)
			}
		}
	}
}

// panelProduct is the product of two panels over k terms, which lie ld apart.
type panelProduct struct {
	k                int
	remaining, right []float32
	ld               int
	c                []float32
	ldc              int
}

// rows computes rows [i0, i1) from column j on, by the tiles of the given tier.
func (p panelProduct) rows(tier asm.Tier, i0, i1, j int) {
	tile := tier.Tile()
	for i, mr := i0, 0; i < i1; i += mr {
		if mr = tile.MR; (i1-i)%tile.MR != 0 {
			mr = tile.MRShort
		}
		tier.Gram(mr, p.k, p.remaining[i:], p.right[j:], p.ld, p.c[i*p.ldc+j:], p.ldc)
	}
}
