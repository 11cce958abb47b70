package match

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"
)

// leastSquares returns the weights of all targets (targets x p) at lambda = 0,
// where coordinate descent would take forever on collinear sources. With D the
// sources' standard deviations and D^-1 Sxx D^-1 = V diag(e) V^T, these are
//
//	w = D^-1 V diag(1/e) V^T D^-1 sxy
//
// over the eigenvalues e that are not zero to rounding: of all minimisers the
// one with the smallest |Dw|.
func (pr *problem) leastSquares() ([]float64, error) {
	p := pr.p
	if p == 0 || pr.targets == 0 {
		return nil, nil
	}
	inverse := make([]float64, p) // of D; 0 leaves constant sources out
	for j := range inverse {
		if v := pr.sxx[j*p+j]; v > 0 {
			inverse[j] = 1 / math.Sqrt(v)
		}
	}
	correlation := mat.NewSymDense(p, nil)
	for i := range p {
		for j := i; j < p; j++ {
			correlation.SetSym(i, j, pr.sxx[i*p+j]*inverse[i]*inverse[j])
		}
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(correlation, true) {
		return nil, errors.New("match: the eigendecomposition of sxx did not converge")
	}
	values := eigen.Values(nil) // rising
	var v, w, projected mat.Dense
	eigen.VectorsTo(&v)

	scaled := mat.NewDense(pr.targets, p, nil)
	scaled.Apply(func(t, j int, x float64) float64 { return x * inverse[j] }, mat.NewDense(pr.targets, p, pr.sxy))
	projected.Mul(scaled, &v)
	projected.Apply(func(t, k int, x float64) float64 {
		if values[k] <= 1e-12*values[p-1] {
			return 0
		}
		return x / values[k]
	}, &projected)
	w.Mul(&projected, v.T())
	w.Apply(func(t, j int, x float64) float64 { return x * inverse[j] }, &w)
	return w.RawMatrix().Data, nil
}
