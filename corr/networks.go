package corr

import "math"

const badPairCount = "corr: values, or weights, are not one for each pair of networks"

// JackknifePairs returns the mean over pairs of networks, weighted unless weights is nil,
// of a figure that each pair has, with what the mean is without each network, for intervals
// over other networks made in the same way. Values and weights are in the order of pairs
// (0, 1), (0, 2), ..., (1, 2), ...; of n networks there are n(n-1)/2 of them.
//
// Pairs share networks, so n(n-1)/2 figures say less than as many independent ones: a mean
// of them is a U-statistic of order two, of which all pairs with a network are left out at
// once (Arvesen, "Jackknifing U-statistics", Annals of Mathematical Statistics 40, 1969).
// The squared standard error is (n-1)/n sum_k (F_(-k) - F)^2 of unweighted means F. Where
// figures differ by what networks have of their own, F_ij = m + a_i + a_j, it has no bias;
// of what pairs have of their own it counts the variance 2(n-1)/(n-2) times, so that
// intervals are too wide rather than too narrow.
//
// A pair of weight 0 may have any figure, NaN included. The mean without a network is NaN
// if no pair is left, and with it the standard error: three networks or more have one, if
// each two have a figure. For a paired difference, such as that of networks before and
// after training, values are the differences.
//
// JackknifePairs panics if the number of values, or of weights, is another.
func JackknifePairs(networks int, values, weights []float64) Jackknife {
	pairs := networks * (networks - 1) / 2
	if len(values) != pairs || weights != nil && len(weights) != pairs {
		panic(badPairCount)
	}
	// mean is that over the pairs without a network.
	mean := func(without int) float64 {
		var sum, total float64
		k := 0
		for a := range networks {
			for b := a + 1; b < networks; b++ {
				w := 1.0
				if weights != nil {
					w = weights[k]
				}
				if w != 0 && a != without && b != without {
					sum += float64(w * values[k])
					total += w
				}
				k++
			}
		}
		if total == 0 {
			return math.NaN()
		}
		return sum / total
	}
	j := Jackknife{Value: mean(-1), Without: make([]float64, networks), Rows: make([]float64, networks)}
	for k := range networks {
		j.Without[k], j.Rows[k] = mean(k), 1
	}
	return j
}
