package match

import (
	"math"
	"slices"

	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/par"
)

// solveEnd computes the end of all paths, once.
func (r *lassoSolver) solveEnd() {
	r.endOnce.Do(func() {
		p, targets := r.p, r.targets
		if p == 0 || targets == 0 {
			return
		}
		threads, rank := par.Threads(r.o.Threads), p
		if p >= minWideSources {
			r.inverse, rank = r.inverseByCholesky(threads)
		}
		r.endWeights, r.endGradients = make([]float64, targets*p), slices.Clone(r.sxy)
		if r.ctx.Err() != nil {
			return // with weights that are not seen
		}
		if r.inverse != nil {
			r.wellConditioned = true
			dense.Gemm(threads, dense.Product{M: targets, N: p, K: p, A: dense.Rows(r.sxy, p), B: dense.Rows(r.inverse, p), C: r.endWeights, LDC: p})
			r.updateEndGradients(threads)
			return
		}
		rows, condition, steps := r.whitening(threads, rank)
		n, x := len(rows)/p, dense.Rows(rows, p)
		for range steps {
			scores := product(threads, targets, n, p, dense.Rows(r.endGradients, p), x.T())
			dense.Gemm(threads, dense.Product{M: targets, N: p, K: n, A: dense.Rows(scores, n), B: x, C: r.endWeights, LDC: p})
			r.updateEndGradients(threads)
		}
		if r.wellConditioned = condition > 1e-8; r.wellConditioned {
			r.inverse = product(threads, p, p, n, x.T(), x)
		}
	})
}

// updateEndGradients computes gradients of the weights at the end.
func (r *lassoSolver) updateEndGradients(threads int) {
	copy(r.endGradients, r.sxy)
	dense.Gemm(threads, dense.Product{M: r.targets, N: r.p, K: r.p, Alpha: -1, A: dense.Rows(r.endWeights, r.p), B: dense.Rows(r.sxx, r.p), C: r.endGradients, LDC: r.p})
}

// moveToEnd moves a path to lambda = 0.
func (r *lassoSolver) moveToEnd(s *path) {
	r.solveEnd()
	copy(s.w, r.endWeights[s.target*r.p:][:r.p])
	copy(s.g, r.endGradients[s.target*r.p:][:r.p])
	s.lambda, s.ridge = 0, 0
}

// product returns the product of an m x k and a k x n matrix.
func product(threads, m, n, k int, a, b dense.View) []float64 {
	c := make([]float64, m*n)
	dense.Gemm(threads, dense.Product{M: m, N: n, K: k, A: a, B: b, C: c, LDC: n})
	return c
}

// whitening returns rows x of as many elements as sources of which the sum of x x^T is the
// inverse of sxx, as far as it has one, and the least eigenvalue of the sources' correlations
// over the largest. With D the sources' standard deviations and D^-1 sxx D^-1 = V diag(e) V^T,
// they are those of
//
//	diag(1/sqrt(e)) V^T D^-1
//
// over the eigenvalues e that rounding alone does not make: so weights at lambda = 0, where
// coordinate descent would take forever on collinear sources, are of all minimisers those
// with the smallest |Dw|. Rounding of the covariances, which may be to single precision, makes
// eigenvalues of either sign alike.
//
// The rank is about the number of the others. A low one takes few eigenvectors, which are less
// exact: steps is how often what is left of the gradients is to improve the weights.
func (pr *problem) whitening(threads, rank int) (rows []float64, condition float64, steps int) {
	p, scale := pr.p, pr.standardScales() // D^-1; 0 leaves constant sources out
	correlation := func() []float64 {
		c := make([]float64, p*p)
		for i := range p {
			for j := range p {
				c[i*p+j] = pr.sxx[i*p+j] * scale[i] * scale[j]
			}
		}
		return c
	}
	var values []float64
	least := 0.0
	if rank < p/2 {
		var ok bool
		if values, rows, ok = dense.LowRankEigen(threads, p, correlation(), p/2, 100*slack); ok {
			least, steps = slack*values[0], 2
		}
	}
	if steps == 0 {
		steps = 1
		var err error
		if values, rows, err = dense.EigenContext(pr.ctx, threads, p, correlation(), p); err != nil {
			return nil, 0, 0
		}
		condition = values[p-1] / values[0]
		least = max(1e-12*values[0], min(-2*values[p-1], 100*slack*values[0]))
	}
	n := 0
	for n < len(values) && values[n] > least {
		f := 1 / math.Sqrt(values[n])
		for j := range p {
			rows[n*p+j] *= f * scale[j]
		}
		n++
	}
	return rows[:n*p], condition, steps
}

// inverseByCholesky returns the inverse of sxx, or nil if a source is nearly determined by
// others, and how many are not.
func (pr *problem) inverseByCholesky(threads int) (inverse []float64, rank int) {
	const share = 1e-6 // of a source's variance that the others must leave
	p, scale := pr.p, pr.standardScales()
	f := pr.factorCorrelation(threads, scale, 0, share)
	for j := range p {
		if f.Kept(j) {
			rank++
		}
	}
	if rank < p {
		return nil, rank
	}
	inverse = make([]float64, p*p)
	f.Inverse(inverse)
	for i := range p {
		for j := range p {
			inverse[i*p+j] *= scale[i] * scale[j]
		}
	}
	return inverse, rank
}
