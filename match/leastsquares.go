package match

import (
	"math"

	"github.com/convergent-go/convergent/internal/dense"
)

// inverseCovariance returns the inverse of sxx, and the least eigenvalue of the
// sources' correlations over the largest. With D the sources' standard deviations and
// D^-1 sxx D^-1 = V diag(e) V^T, it is
//
//	D^-1 V diag(1/e) V^T D^-1
//
// over the eigenvalues e that are not zero to rounding.
func (pr *problem) inverseCovariance(threads int) (inverse []float64, condition float64) {
	p, scale := pr.p, pr.standardScales() // D^-1; 0 leaves constant sources out
	correlation := make([]float64, p*p)
	for i := range p {
		for j := range p {
			correlation[i*p+j] = pr.sxx[i*p+j] * scale[i] * scale[j]
		}
	}
	values, rows, err := dense.EigenContext(pr.ctx, threads, p, correlation, p)
	if err != nil {
		return make([]float64, p*p), 0 // which solves nothing, and is not seen
	}
	for k, e := range values {
		f := 0.0
		if e > 1e-12*values[0] {
			f = 1 / math.Sqrt(e)
		}
		for j := range p {
			rows[k*p+j] *= f * scale[j]
		}
	}
	inverse = make([]float64, p*p)
	dense.Gemm(threads, dense.Product{M: p, N: p, K: p, A: dense.Rows(rows, p).T(), B: dense.Rows(rows, p), C: inverse, LDC: p})
	return inverse, values[p-1] / values[0]
}

// inverseByCholesky returns the inverse of sxx, or nil if a source is nearly determined by
// others.
func (pr *problem) inverseByCholesky(threads int) []float64 {
	const share = 1e-6 // of a source's variance that the others must leave
	p, scale := pr.p, pr.standardScales()
	f := pr.factorCorrelation(threads, scale, 0, share)
	for j := range p {
		if !f.Kept(j) {
			return nil
		}
	}
	inverse := make([]float64, p*p)
	f.Inverse(inverse)
	for i := range p {
		for j := range p {
			inverse[i*p+j] *= scale[i] * scale[j]
		}
	}
	return inverse
}

// leastSquares returns the weights of all targets (targets x p) at lambda = 0, where
// coordinate descent would take forever on collinear sources: of all minimisers those
// with the smallest |Dw|.
func (pr *problem) leastSquares(threads int, inverse []float64) []float64 {
	w := make([]float64, pr.targets*pr.p)
	dense.Gemm(threads, dense.Product{M: pr.targets, N: pr.p, K: pr.p, A: dense.Rows(pr.sxy, pr.p), B: dense.Rows(inverse, pr.p), C: w, LDC: pr.p})
	return w
}
