package finding

import (
	"math"
	"slices"

	"github.com/convergent-go/convergent/corr"
)

// limitOf is what 95 % of chance do not pass: what is beyond it has a p of 0.05 or less.
// Small distances are far out. It is NaN of too few draws.
func limitOf(chance corr.Null, distance bool) float64 {
	draws := slices.Sorted(slices.Values(chance.Draws))
	if distance {
		slices.Reverse(draws)
	}
	at := int(math.Ceil(confidence*float64(len(draws)+1))) - 1
	if at >= len(draws) || slices.ContainsFunc(draws, math.IsNaN) {
		return math.NaN()
	}
	return draws[at]
}

// calibrated is how far a similarity is beyond a limit of chance, as a share of the way to 1
// (Groeger, Wen and Brbic, 2026, arXiv 2602.14486).
func calibrated(value, limit float64) float64 {
	if limit >= 1 {
		return 0
	}
	return max(0, (value-limit)/(1-limit))
}
