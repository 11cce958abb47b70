package level3

import "github.com/convergent-go/convergent/asm"

// maxWidth is the largest width of a panel.
const maxWidth = 32

// Gram adds the products of panel i of a packed b and panel j of a packed o, which may be
// b itself, both of the same terms, KC at most, to sums in float64:
//
//	c[x*ldc+y] += sum over k of b_(i*Width+x)[k] * o_(j*Width+y)[k]
//
// Terms are summed in runs; see [asm.Tier.Gram]. Where both are one panel, what is below
// the diagonal is unspecified; where they are two, the memory that ahead begins with is asked
// for meanwhile.
func (b PackedB) Gram(i int, o PackedB, j int, c []float64, ldc int, ahead []float32) {
	tier := asm.Active()
	width := tier.Tile().NR
	size := b.k * width
	left, right := b.block.data[i*size:][:size], o.block.data[j*size:][:size]
	rows, cols := min(width, b.n-i*width), min(width, o.n-j*width)
	if rows == width && cols == width {
		gram(tier, b.k, left, right, c, ldc, ahead)
		return
	}
	var edge [maxWidth * maxWidth]float64
	gram(tier, b.k, left, right, edge[:], width, ahead)
	for x := range rows {
		row := c[x*ldc:][:cols]
		for y, v := range edge[x*width:][:cols] {
			row[y] += v
		}
	}
}

// GramAhead returns how many floats Gram asks for during a product of panels of k terms.
func GramAhead(k int) int { return asm.Active().GramAhead(k) }

// gram is Gram for all vectors of panels of k terms, those beyond the last too.
func gram(tier asm.Tier, k int, left, right []float32, c []float64, ldc int, ahead []float32) {
	width := tier.Tile().NR
	if &left[0] != &right[0] {
		tier.Gram(width, width, k, left, right, width, c, ldc, ahead)
		return
	}
	// The lower left quarter is not needed.
	half := width / 2
	tier.Gram(half, width, k, left, right, width, c, ldc, nil)
	tier.Gram(half, half, k, left[half:], right[half:], width, c[half*ldc+half:], ldc, nil)
}
