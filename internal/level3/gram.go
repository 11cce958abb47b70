package level3

import "github.com/convergent-go/convergent/asm"

// Panel returns panel j of a packed B of at most KC terms: term k of its vector i is
// element k*Width()+i.
func (p Prepared) Panel(j int) []float32 {
	size := p.k * Width()
	return p.right.data[j*size:][:size]
}

// Gram computes rows of C = B B^T over the terms [k0, k1), of a packed B of at most KC:
// those of panels [j0, j1), from the diagonal on. Row and column 0 of c are those of the
// first vector of panel j0. What is left of the diagonal is unspecified, and all panels' vectors are
// written, those beyond the last too.
func (p Prepared) Gram(j0, j1, k0, k1 int, c []float32, ldc int) {
	tier := asm.Active()
	tile := tier.Tile()
	for at := j0; at*tile.Width < p.n; at++ { // columns: a panel stays in the cache for all rows
		right := p.Panel(at)[k0*tile.Width:]
		for j := j0; j < j1 && j <= at; j++ {
			left, c := p.Panel(j)[k0*tile.Width:], c[(j-j0)*tile.Width*ldc+(at-j0)*tile.Width:]
			if j == at {
				diagonal(tier, k1-k0, left, c, ldc)
				continue
			}
			for i, height := 0, tile.High; i < tile.Width; i += height {
				if tile.Width-i < tile.High {
					height = tile.Low
				}
				tier.Gram(height, k1-k0, left[i:], right, tile.Width, c[i*ldc:], ldc)
			}
		}
	}
}

// diagonal computes the products of a panel with itself. Of a wide one the lower
// left quarter is left out: half of the rows take all columns, the others, by the
// tiles of half the width, half of them.
func diagonal(tier asm.Tier, k int, panel, c []float32, ldc int) {
	width := tier.Tile().Width
	rows := func(tier asm.Tier, from, to, column int) {
		tile := tier.Tile()
		for i, height := from, 0; i < to; i += height {
			if height = tile.High; (to-i)%tile.High != 0 {
				height = tile.Low
			}
			tier.Gram(height, k, panel[i:], panel[column:], width, c[i*ldc+column:], ldc)
		}
	}
	if tier == asm.AVX512 {
		rows(tier, 0, width/2, 0)
		rows(asm.AVX2, width/2, width, width/2)
		return
	}
	rows(tier, 0, width, 0)
}
