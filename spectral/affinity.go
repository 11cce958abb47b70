package spectral

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// RuleKind says what becomes of a negative correlation.
type RuleKind int

const (
	Clip RuleKind = iota // weight max(0, r): units that oppose each other are not alike
	Abs                  // weight |r|: units that oppose each other carry the same information
)

// Rule turns correlations into weights. Some rule is needed, since negative
// weights can make a degree zero or negative and the Laplacian indefinite; the
// paper does not say which it used. The zero value clips at zero.
type Rule struct {
	Kind      RuleKind
	Threshold float64 // weights up to this are dropped; 0 keeps every edge

	// Neighbors keeps an edge only if each end is among the so many nearest of the
	// other, the mutual nearest-neighbour graph, in which a few units that resemble
	// everything join nothing; of equal weights the lower vertex is the nearer. 0 keeps
	// every edge.
	Neighbors int
}

// Affinity returns the graph of the n x n correlations under the rule, with a
// diagonal of zeros. It stores it in dst (n x n; nil allocates; corr itself is
// allowed) and panics on another shape. NaN stays NaN, for [Cluster] to report.
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
		mutual(dst, rule.Neighbors)
	}
	return dst
}

// mutual drops edges of which one end is not among the k nearest of the other.
func mutual(g *mat.SymDense, k int) {
	n := g.SymmetricDim()
	near := make([][]bool, n)
	order := make([]int, 0, n)
	for i := range n {
		order = order[:0]
		for j := range n {
			if j != i {
				order = append(order, j)
			}
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(g.At(i, b), g.At(i, a)) })
		near[i] = make([]bool, n)
		for _, j := range order[:min(k, n-1)] {
			near[i][j] = true
		}
	}
	for i := range n {
		for j := i + 1; j < n; j++ {
			if !math.IsNaN(g.At(i, j)) && !(near[i][j] && near[j][i]) {
				g.SetSym(i, j, 0)
			}
		}
	}
}
