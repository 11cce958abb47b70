package finding

import (
	"math"
	"slices"
)

// Chance is drawn less often in wide layers: as often as asked up to so many units, beyond that
// as often as costs no more than there, and leastDraws times in any, which tell p-values down to
// 0.025. What takes the cube of a layer's width in steps is so from cubeWidth units on, what
// takes the square from squareWidth on.
const (
	cubeWidth   = 256
	squareWidth = 512
	leastDraws  = 39
)

// cubeDraws is how many of the draws that are asked for are made of what takes the cube of the
// layer's width.
func (l *layer) cubeDraws(asked int) int { return l.affordable(asked, cubeWidth, 3) }

// squareDraws is the same of what takes the square.
func (l *layer) squareDraws(asked int) int { return l.affordable(asked, squareWidth, 2) }

func (l *layer) affordable(asked int, width, power float64) int {
	share := math.Pow(width/float64(slices.Max(l.Units)), power)
	return min(asked, max(leastDraws, int(share*float64(asked))))
}
