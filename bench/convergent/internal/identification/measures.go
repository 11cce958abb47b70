package identification

import (
	"fmt"
	"math"
)

// measure is a measure of similarity of two representations, of which larger is more alike.
type measure struct {
	name     string
	networks int
	of       func(a, b int) float64
}

// measures are those that follow from sums, of all networks or as many as have spans.
func measures(networks int, all []*representation, spans []*span, s *sums, truncated *svcca) []measure {
	m := []measure{{"linear CKA", networks, cka(s.linear)}, {"debiased linear CKA", networks, debiasedCKA(all, s.linear)}}
	for w := range widths {
		m = append(m, measure{fmt.Sprintf("RBF CKA, %g of the median distance", widths[w]), networks, cka(s.rbf[w])})
	}
	networks = networks * len(spans) / len(all)
	if networks < 2 {
		return m
	}
	// explained is the share of the variance of a's features that a linear regression on
	// b's explains: <P_b, K_a> / tr K_a.
	explained := func(a, b int) float64 {
		if spans[b].everything() {
			return 1
		}
		return s.explained.at(b, a) / all[a].variance()
	}
	// meanSquare is of canonical correlations: <P_a, P_b> over the lesser dimension. It is 1
	// where either spans everything, and so are then all correlations, and any mean of them.
	meanSquare := func(a, b int) float64 {
		if spans[a].everything() || spans[b].everything() {
			return 1
		}
		return s.spans.at(a, b) / float64(min(spans[a].Dimension, spans[b].Dimension))
	}
	return append(m,
		measure{"linear regression, both ways", networks, func(a, b int) float64 { return explained(a, b) + explained(b, a) }},
		measure{"linear regression, from the other layer", networks, explained},
		measure{"linear regression, to the other layer", networks, func(a, b int) float64 { return explained(b, a) }},
		measure{"CCA, mean square", networks, meanSquare},
		measure{fmt.Sprintf("SVCCA, mean square, of %d images", componentImages(all[0].Images)), networks, truncated.squares.at},
		measure{fmt.Sprintf("SVCCA, mean, of %d images", componentImages(all[0].Images)), networks, truncated.means.at})
}

// cka is centred kernel alignment, the cosine of two matrices.
func cka(g gram) func(a, b int) float64 {
	return func(a, b int) float64 { return g.at(a, b) / math.Sqrt(g.at(a, a)*g.at(b, b)) }
}

// debiasedCKA is linear CKA with the unbiased estimates of the Hilbert-Schmidt independence
// criterion, as corr.GramPair.DebiasedCKA. Of centred features, whose K1 = 0, it takes
// beside tr KL only the diagonals u and v (see corr.HSIC).
func debiasedCKA(all []*representation, g gram) func(a, b int) float64 {
	n := float64(all[0].Images)
	diagonals := newGram(len(all))
	squares := func(i int) []float64 { return all[i].Squares }
	diagonals.addDiagonals(squares, squares)
	unbiased := gram{len(all), make([]float64, len(all)*len(all))}
	for a := range all {
		for b := range all {
			uv := diagonals.at(a, b)
			unbiased.sums[a*len(all)+b] = g.at(a, b) - uv + all[a].variance()*all[b].variance()/((n-1)*(n-2)) - 2*uv/(n-2)
		}
	}
	return cka(unbiased)
}
