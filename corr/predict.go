package corr

import (
	"fmt"
	"slices"

	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/par"
)

// Prediction is how well linear functions of a's units predict b's.
type Prediction struct {
	Lambda   float64   // the ridge penalty
	R2       []float64 // of each unit of b: the share of its variance; below 0 is worse than its mean
	Mean     float64   // over units
	Weighted float64   // by variance: the share of all variance of b
}

func (c *Pair) prediction(lambda float64, r2, variances []float64) Prediction {
	p := Prediction{Lambda: lambda, R2: r2, Mean: mean(r2)}
	var total float64
	for j, r := range r2 {
		p.Weighted += float64(r * variances[j])
		total += variances[j]
	}
	p.Weighted /= total
	return p
}

// Linear returns how well b's units are predicted by least squares from a's:
// R^2_j = s_j^T S_aa^(-1) s_j / var_j for the covariances s_j of unit j with a's.
//
// Each is in [0, 1], not symmetric, and invariant to invertible linear maps of a's
// units. Where a's units determine others the inverse is that on the space they span.
// As many dimensions as observations predict anything; that is an error that wraps
// [ErrTooFew]. It is no estimate for other observations: see Ridge.
func (c *Pair) Linear() (Prediction, error) {
	if err := c.ready(); err != nil {
		return Prediction{}, err
	}
	a, _ := c.standard()
	if int64(a.rank) >= c.Count-1 {
		return Prediction{}, fmt.Errorf("corr: %w: %d dimensions predict any %d", ErrTooFew, a.rank, c.Count)
	}
	part := a.onto(par.Threads(c.Threads), a.rank, standardise(c.ab, c.aa, c.bb, c.p, c.q), c.q)
	r2 := make([]float64, c.q)
	for k := range a.rank {
		for j, v := range part[k*c.q:][:c.q] {
			r2[j] += v * v / a.variances[k]
		}
	}
	for j := range r2 {
		r2[j] = min(1, r2[j])
	}
	return c.prediction(0, r2, diagonal(c.bb, c.q)), nil
}

func diagonal(x []float64, n int) []float64 {
	d := make([]float64, n)
	for i := range d {
		d[i] = x[i*(n+1)]
	}
	return d
}

// Ridge returns how well b's units are predicted from a's, with weights that minimise
//
//	E (y_j - w_j . x)^2 + lambda |w_j|^2
//
// on c, for each lambda above 0, on the observations of test, which has the same units;
// nil is c itself. One eigendecomposition serves all lambdas. A lambda is in units of
// variance: that of scikit-learn's Ridge is lambda times the number of observations.
// The R^2 of a unit that does not vary in test is 0. Ridge panics if a lambda is not
// above 0 or the units differ.
//
// R^2 is not symmetric, and invariant to rotations of a's units.
func (c *Pair) Ridge(test *Pair, lambdas ...float64) ([]Prediction, error) {
	if err := c.ready(); err != nil {
		return nil, err
	}
	if test == nil {
		test = c
	}
	if !slices.Equal(test.UnitsA, c.UnitsA) || !slices.Equal(test.UnitsB, c.UnitsB) {
		panic("corr: predictions are tested on the same units")
	}
	threads, p, q := par.Threads(c.Threads), c.p, c.q
	a := c.axesA()
	// All in a's principal axes, which make a's own covariance diagonal.
	part := a.onto(threads, p, c.ab, q)
	testAB, testAA := part, []float64(nil)
	if test != c {
		testAB = a.onto(threads, p, test.ab, q)
		testAA = make([]float64, p*p)
		dense.Gemm(threads, p, p, p, 1, dense.Rows(a.onto(threads, p, test.aa, p), p), dense.Rows(a.rows, p).T(), testAA, p)
	}
	drift := make([]float64, p)
	for i := range drift {
		drift[i] = test.ma[i] - c.ma[i]
	}
	drift = a.onto(threads, p, drift, 1)
	variances := diagonal(test.bb, q)
	var all []Prediction
	for _, lambda := range lambdas {
		if !(lambda > 0) {
			panic("corr: a ridge penalty must be above 0")
		}
		w := slices.Clone(part)
		for k := range p {
			for j := range q {
				w[k*q+j] /= max(0, a.variances[k]) + lambda
			}
		}
		product := make([]float64, p*q)
		if test != c {
			dense.Gemm(threads, p, q, p, 1, dense.Rows(testAA, p), dense.Rows(w, q), product, q)
		} else {
			for k := range p {
				for j := range q {
					product[k*q+j] = a.variances[k] * w[k*q+j]
				}
			}
		}
		loss, bias := slices.Clone(variances), make([]float64, q)
		for j := range bias {
			bias[j] = test.mb[j] - c.mb[j]
		}
		for k := range p {
			for j := range q {
				v := w[k*q+j]
				loss[j] += float64(v * (product[k*q+j] - 2*testAB[k*q+j]))
				bias[j] -= float64(v * drift[k])
			}
		}
		r2 := make([]float64, q)
		for j := range r2 {
			if variances[j] > 0 {
				r2[j] = 1 - (max(0, loss[j])+float64(bias[j]*bias[j]))/variances[j]
			}
		}
		all = append(all, c.prediction(lambda, r2, variances))
	}
	return all, nil
}
