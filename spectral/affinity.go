package spectral

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// RuleKind is the treatment of negative correlations.
type RuleKind int

const (
	Clip RuleKind = iota // weight max(0, r): units that oppose each other are not alike
	Abs                  // weight |r|: units that oppose each other carry the same information
)

// Rule is a map from correlations to weights. A rule is needed, since negative weights
// can make a degree zero or negative and the Laplacian indefinite; the paper does not say
// which it used. The zero value clips at zero.
type Rule struct {
	Kind      RuleKind
	Threshold float64 // weights up to this become 0

	// Neighbors, if above 0, removes edges unless each end is among that many nearest
	// vertices of the other: the mutual nearest-neighbour graph, in which units that
	// resemble everything do not connect clusters. Of equal weights the lower vertex is
	// the nearer.
	Neighbors int
}

// Affinity returns the graph of the n x n correlations under the rule, with a
// diagonal of zeros. It stores it in dst (n x n; nil allocates; corr itself is
// allowed) and panics on another shape. NaN stays NaN, for [Cluster] to report.
//
// It takes n² steps. See also [Combine], [MappingGraph] and [Cluster].
func Affinity(dst *mat.SymDense, corr mat.Symmetric, rule Rule) *mat.SymDense {
	if rule.Kind != Clip && rule.Kind != Abs {
		panic(badKind)
	}
	if rule.Neighbors < 0 {
		panic(badOptions)
	}
	n := corr.SymmetricDim()
	if dst == nil {
		dst = newSym(n)
	}
	if dst.SymmetricDim() != n {
		panic(badShape)
	}
	for i := range n {
		dst.SetSym(i, i, 0)
		for j := i + 1; j < n; j++ {
			w := corr.At(i, j)
			if rule.Kind == Abs {
				w = math.Abs(w)
			}
			w = max(w, 0)
			if w <= rule.Threshold {
				w = 0
			}
			dst.SetSym(i, j, w)
		}
	}
	if rule.Neighbors > 0 {
		removeNonMutual(dst, rule.Neighbors)
	}
	return dst
}

// removeNonMutual removes edges of which one end is not among the k nearest of the other.
func removeNonMutual(g *mat.SymDense, k int) {
	n := g.SymmetricDim()
	neighbors := make([][]bool, n)
	order := make([]int, 0, n)
	for i := range n {
		order = order[:0]
		for j := range n {
			if j != i {
				order = append(order, j)
			}
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(g.At(i, b), g.At(i, a)) })
		neighbors[i] = make([]bool, n)
		for _, j := range order[:min(k, n-1)] {
			neighbors[i][j] = true
		}
	}
	for i := range n {
		for j := i + 1; j < n; j++ {
			if !math.IsNaN(g.At(i, j)) && !(neighbors[i][j] && neighbors[j][i]) {
				g.SetSym(i, j, 0)
			}
		}
	}
}
