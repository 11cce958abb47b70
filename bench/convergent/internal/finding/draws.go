package finding

import (
	"math"
	"slices"
)

// What takes the cube of a layer's width in steps is drawn less often in wide layers: as often
// as asked up to fullWidth units, beyond that as often as costs no more than there, and
// leastDraws times of any, which tell p-values down to 0.025.
const (
	fullWidth  = 256
	leastDraws = 39
)

// costlyDraws is how many of the draws that are asked for are made of what takes the cube of
// the layer's width.
func (l *layer) costlyDraws(asked int) int {
	share := math.Pow(fullWidth/float64(slices.Max(l.Units)), 3)
	return min(asked, max(leastDraws, int(share*float64(asked))))
}
