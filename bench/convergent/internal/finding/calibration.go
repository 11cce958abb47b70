package finding

import (
	"math"
	"slices"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
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

// calibrate sets what a measure is beside draws of chance. All of it is about the images and
// observations of these, and so about what is observed at them, which need not be the
// measure's value.
func calibrate(f *results.Measure, m corr.Measure, observed float64, chance corr.Null) {
	f.Null = results.Finite(chance.Mean())
	if f.Null == nil || math.IsNaN(observed) {
		return
	}
	f.Draws = len(chance.Draws)
	limit := limitOf(chance, m.Distance)
	f.Limit = results.Finite(limit)
	if m.Distance {
		f.P = results.Finite(chance.PValueLower(observed))
		return
	}
	f.P = results.Finite(chance.PValue(observed))
	if !differences[m.Name] {
		f.Calibrated = results.Finite(calibrated(observed, limit))
	}
}

// differences are measures that are no similarities of which 1 is the most.
var differences = map[string]bool{"excess_ab": true, "excess_ba": true}
