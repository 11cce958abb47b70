package level3

import "github.com/convergent-go/convergent/asm"

// maxWidth is the largest width of a panel.
const maxWidth = 32

// Gram adds the products of panels i and j, i no more than j, of a packed B of at most KC
// terms, to sums in float64:
//
//	c[x*ldc+y] += sum over k of b_(i*Width+x)[k] * b_(j*Width+y)[k]
//
// Terms are summed in runs; see [asm.Tier.Gram]. Where i = j, what is below the diagonal
// is unspecified.
func (b PackedB) Gram(i, j int, c []float64, ldc int) {
	tier := asm.Active()
	width := tier.Tile().NR
	rows, cols := min(width, b.n-i*width), min(width, b.n-j*width)
	if cols == width {
		b.gram(tier, i, j, c, ldc)
		return
	}
	var edge [maxWidth * maxWidth]float64
	b.gram(tier, i, j, edge[:], width)
	for x := range rows {
		row := c[x*ldc:][:cols]
		for y, v := range edge[x*width:][:cols] {
			row[y] += v
		}
	}
}

// gram is Gram for all vectors of the panels, those beyond the last too.
func (b PackedB) gram(tier asm.Tier, i, j int, c []float64, ldc int) {
	width := tier.Tile().NR
	size := b.k * width
	left, right := b.block.data[i*size:][:size], b.block.data[j*size:][:size]
	if i < j {
		tier.Gram(width, width, b.k, left, right, width, c, ldc)
		return
	}
	// The lower left quarter is not needed.
	half := width / 2
	tier.Gram(half, width, b.k, left, right, width, c, ldc)
	tier.Gram(half, half, b.k, left[half:], right[half:], width, c[half*ldc+half:], ldc)
}
