package corr

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/par"
)

// canonicalAnalysis is the result of a canonical correlation analysis.
type canonicalAnalysis struct {
	rho                []float64 // canonical correlations, falling
	weightsA, weightsB []float64 // of projection-weighted CCA

	// Coordinates of the canonical variables, rows, in the principal axes of the networks'
	// standardised units; those of b have the norms of the whitened correlations' singular
	// values.
	left, right []float64
	norms       []float64
}

// CCA returns the canonical correlations of the spaces that the units span, falling,
// as many as the smaller space has dimensions (Hotelling, "Relations between two sets
// of variates", 1936): the singular values of S_aa^(-1/2) S_ab S_bb^(-1/2).
//
// They are in [0, 1]; the same from either side; and invariant to any invertible linear
// map of either network's units. Where units determine others the analysis is that of
// the spaces of lower dimension, see [Pair.Rank]. Spaces that have more dimensions
// between them than there are observations meet whatever the data; this is an
// error that wraps [ErrTooFewObservations].
//
// It takes p^3 + q^3 steps for p units of a and q of b. See also [Pair.MeanCCA], [Pair.SVCCA],
// [Pair.PWCCA] and [Pair.CanonicalDirections].
func (c *Pair) CCA() ([]float64, error) {
	k, err := c.analyse()
	if err != nil {
		return nil, err
	}
	return append([]float64(nil), k.rho...), nil
}

// MeanCCA returns the mean of the canonical correlations.
func (c *Pair) MeanCCA() (float64, error) {
	k, err := c.analyse()
	if err != nil {
		return math.NaN(), err
	}
	return mean(k.rho), nil
}

// mean returns the mean of x.
func mean(x []float64) float64 {
	var s float64
	for _, v := range x {
		s += v
	}
	return s / float64(len(x))
}

// checkDimensions returns an error if spaces of r and s dimensions meet whatever the data.
func (c *Pair) checkDimensions(r, s int) error {
	if int64(r+s) > c.Count-1 {
		return fmt.Errorf("corr: %w: spaces of %d and %d dimensions meet in any %d", ErrTooFewObservations, r, s, c.Count)
	}
	return nil
}

// analyse returns the canonical correlation analysis: the singular value decomposition of
// S_aa^(-1/2) S_ab S_bb^(-1/2) in the principal axes of standardised units, which make
// the scales of units irrelevant.
func (c *Pair) analyse() (*canonicalAnalysis, error) {
	if c.cca != nil {
		return c.cca, nil
	}
	if err := c.checkVariance(); err != nil {
		return nil, err
	}
	a, b := c.standardAxes()
	if err := c.checkDimensions(a.rank, b.rank); err != nil {
		return nil, err
	}
	threads := par.Threads(c.Threads)
	whitened := product(threads, a.rank, b.rank, c.q, dense.Rows(a.project(threads, a.rank, c.standardBetween(), c.q), c.q), b.columns(b.rank))
	scaleComponents(whitened, a, b, a.rank, b.rank)
	rho, left, right := dense.SVD(threads, a.rank, b.rank, whitened, true)
	k := &canonicalAnalysis{left: left, right: right, norms: rho}
	for _, r := range rho[:min(a.rank, b.rank)] {
		k.rho = append(k.rho, min(1, r)) // rounding can exceed 1
	}
	k.weightsA = c.projectionWeights(a, c.aa, left, k.rho, nil)
	k.weightsB = c.projectionWeights(b, c.bb, right, k.rho, rho)
	c.cca = k
	return k, nil
}

// CanonicalDirections returns the weights of the units in the canonical variables of a and
// b, p x k and q x k for the k correlations of [Pair.CCA], in their order: with
// [Pair.Basis] of the same observations, variables of variance 1 of which the i-th of a and
// of b correlate by the i-th of these and no others do. On other observations they tell what
// of the correlations is more than a fit. Variables whose correlation is 0 have no direction of their own
// in b, and weights of 0. Errors are those of [Pair.CCA].
func (c *Pair) CanonicalDirections() (a, b *mat.Dense, err error) {
	k, err := c.analyse()
	if err != nil {
		return nil, nil, err
	}
	axesA, axesB := c.standardAxes()
	n := len(k.rho)
	directions := func(x *axes, covariance, rows, norms []float64) *mat.Dense {
		coordinates := make([]float64, n*x.rank)
		for i := range n {
			norm := 1.0
			if norms != nil {
				norm = norms[i]
			}
			if norms != nil && k.rho[i] <= 1e-12 {
				continue
			}
			for j := range x.rank {
				coordinates[i*x.rank+j] = rows[i*x.rank+j] / norm / math.Sqrt(x.variances[j])
			}
		}
		weights := product(par.Threads(c.Threads), n, x.n, x.rank, dense.Rows(coordinates, x.rank), x.rows[:x.rank*x.n])
		d := mat.NewDense(x.n, n, nil)
		for i := range n {
			for j := range x.n {
				if s := math.Sqrt(covariance[j*(x.n+1)]); s > 0 {
					d.Set(j, i, weights[i*x.n+j]/s)
				}
			}
		}
		return d
	}
	return directions(axesA, c.aa, k.left, nil), directions(axesB, c.bb, k.right, k.norms), nil
}

// projectionWeights returns sum_j |cov(h_i, x_j)| for each canonical variable h_i, whose
// coordinates in the axes a of standardised units x are the rows. norms are those of the
// rows; nil is 1.
func (c *Pair) projectionWeights(a *axes, covariance, rows, rho, norms []float64) []float64 {
	n, r := len(rho), a.rank
	coordinates := make([]float64, n*r)
	for i := range n {
		norm := 1.0
		if norms != nil {
			norm = norms[i]
		}
		if rho[i] <= 1e-12 {
			continue // no direction is its own
		}
		for k := range r {
			coordinates[i*r+k] = rows[i*r+k] * math.Sqrt(a.variances[k]) / norm
		}
	}
	loadings := make([]float64, n*a.n)
	dense.Gemm(par.Threads(c.Threads), dense.Product{M: n, N: a.n, K: r, A: dense.Rows(coordinates, r), B: dense.Rows(a.rows, a.n), C: loadings, LDC: a.n})
	weights := make([]float64, n)
	for i := range weights {
		for j, v := range loadings[i*a.n:][:a.n] {
			weights[i] += float64(math.Abs(v) * math.Sqrt(covariance[j*(a.n+1)]))
		}
	}
	return weights
}

// SVCCA returns the mean canonical correlation of the principal axes that hold the
// given share of each network's variance, 0.99 where it is 0 (Raghu, Gilmer, Yosinski
// and Sohl-Dickstein, "SVCCA", NeurIPS 2017).
//
// It is in [0, 1], symmetric, and invariant to rotations of either network's units and
// to a factor for all of them. Too few observations are an error as in [Pair.CCA].
func (c *Pair) SVCCA(varianceShare float64) (float64, error) {
	if err := c.checkVariance(); err != nil {
		return math.NaN(), err
	}
	if varianceShare == 0 {
		varianceShare = 0.99
	}
	a, b := c.axesA(), c.axesB()
	k, l := a.count(varianceShare), b.count(varianceShare)
	if err := c.checkDimensions(k, l); err != nil {
		return math.NaN(), err
	}
	threads := par.Threads(c.Threads)
	m := c.componentCorrelations(k, l)
	// Rounding can exceed 1.
	return min(1, dense.NuclearNorm(threads, k, l, m)/float64(min(k, l))), nil
}

// count returns the least number of axes that hold the share of the variance, at most
// rank.
func (a *axes) count(varianceShare float64) int {
	var total, sum float64
	for _, v := range a.variances {
		total += max(0, v)
	}
	for k, v := range a.variances[:a.rank] {
		if sum += v; sum >= varianceShare*total {
			return k + 1
		}
	}
	return a.rank
}

// PWCCA returns the projection-weighted mean of the canonical correlations (Morcos,
// Raghu and Bengio, "Insights on representational similarity in neural networks with
// canonical correlation", NeurIPS 2018):
//
//	sum_i w_i rho_i / sum_i w_i,   w_i = sum_j |cov(h_i, x_j)|
//
// for the canonical variables h_i of variance 1 in a's space and a's units x_j:
// how much of a is also in b. It is in [0, 1], not symmetric, and invariant to
// invertible maps of b's units, and to a factor for all of a's. Canonical variables
// of correlation 0, which have no direction of their own, have no weight.
func (c *Pair) PWCCA() (float64, error) {
	k, err := c.analyse()
	if err != nil {
		return math.NaN(), err
	}
	return weightedMean(k.rho, k.weightsA), nil
}

// pwccaOfB returns PWCCA with a and b exchanged.
func (c *Pair) pwccaOfB() (float64, error) {
	k, err := c.analyse()
	if err != nil {
		return math.NaN(), err
	}
	return weightedMean(k.rho, k.weightsB), nil
}

// weightedMean returns the mean of x with weights w; 0 if all weights are 0.
func weightedMean(x, w []float64) float64 {
	var sum, total float64
	for i, v := range x {
		sum += float64(w[i] * v)
		total += w[i]
	}
	if total == 0 {
		return 0
	}
	return sum / total
}
