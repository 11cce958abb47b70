package corr

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/par"
)

// Prediction is the fit of b's units by linear functions of a's.
type Prediction struct {
	Lambda           float64   // the ridge penalty
	R2               []float64 // of each unit of b: the explained share of its variance; below 0 is worse than its mean
	Mean             float64   // of R2 over units
	VarianceWeighted float64   // mean of R2 weighted by the units' variances: the explained share of all variance
}

func newPrediction(lambda float64, r2, variances []float64) Prediction {
	p := Prediction{Lambda: lambda, R2: r2, Mean: mean(r2)}
	var total float64
	for j, r := range r2 {
		p.VarianceWeighted += float64(r * variances[j])
		total += variances[j]
	}
	p.VarianceWeighted /= total
	return p
}

// Linear returns the prediction of b's units by least squares from a's:
// R^2_j = s_j^T S_aa^(-1) s_j / var_j for the covariances s_j of unit j with a's.
//
// Each is in [0, 1], not symmetric, and invariant to invertible linear maps of a's
// units. Where a's units determine others the inverse is that on the space they span.
// As many dimensions as observations predict anything; that is an error that wraps
// [ErrTooFewObservations]. It is no estimate for other observations: see Ridge.
//
// It takes p^3 + p^2 q steps for p units of a and q of b. See also [Pair.Whitening].
func (c *Pair) Linear() (Prediction, error) {
	if err := c.checkVariance(); err != nil {
		return Prediction{}, err
	}
	a, err := c.predictors()
	if err != nil {
		return Prediction{}, err
	}
	projection := a.project(par.Threads(c.Threads), a.rank, c.standardBetween(), c.q)
	r2 := make([]float64, c.q)
	for k := range a.rank {
		for j, v := range projection[k*c.q:][:c.q] {
			r2[j] += v * v / a.variances[k]
		}
	}
	for j := range r2 {
		r2[j] = min(1, r2[j])
	}
	return newPrediction(0, r2, diagonal(c.bb, c.q)), nil
}

// predictors returns the principal axes of a's units scaled to variance 1, or an error if they
// predict anything.
func (c *Pair) predictors() (*axes, error) {
	a := c.standardAxesA()
	if int64(a.rank) >= c.Count-1 {
		return nil, fmt.Errorf("corr: %w: %d dimensions predict any %d", ErrTooFewObservations, a.rank, c.Count)
	}
	return a, nil
}

// Whitening returns the weights, p x r, that make of a's units r variables of variance 1 that
// do not correlate and span what the units do, for the rank r of [Pair.Rank]: of variables
// that have variance 1 R^2 of [Pair.Linear] is the squares of their correlations with these.
// Errors are those of Linear.
func (c *Pair) Whitening() (*mat.Dense, error) {
	if err := c.checkVariance(); err != nil {
		return nil, err
	}
	a, err := c.predictors()
	if err != nil {
		return nil, err
	}
	w := mat.NewDense(c.p, a.rank, nil)
	for i := range c.p {
		s := math.Sqrt(c.aa[i*(c.p+1)])
		for k := range a.rank {
			if s > 0 {
				w.Set(i, k, a.rows[k*c.p+i]/math.Sqrt(a.variances[k])/s)
			}
		}
	}
	return w, nil
}

// badPenalty returns the error of a penalty that is not above 0.
func badPenalty(lambda float64) error {
	return fmt.Errorf("corr: a ridge penalty of %v; want one above 0", lambda)
}

// diagonal returns the diagonal of the n x n matrix x.
func diagonal(x []float64, n int) []float64 {
	d := make([]float64, n)
	for i := range d {
		d[i] = x[i*(n+1)]
	}
	return d
}

// Ridge returns the predictions of b's units from a's, with weights that minimise
//
//	E (y_j - w_j . x)^2 + lambda |w_j|^2
//
// on c, for each lambda above 0, on the observations of test, which has the same units;
// nil is c itself. One eigendecomposition serves all lambdas. A lambda is in units of
// variance: that of scikit-learn's Ridge is lambda times the number of observations.
// The R^2 of a unit that does not vary in test is 0. On the observations that weights are
// fitted to, it is near 1 of anything where there are as many dimensions as these. A lambda
// that is not above 0 is an error; Ridge panics if the units differ.
//
// R^2 is not symmetric, and invariant to rotations of a's units.
func (c *Pair) Ridge(test *Pair, lambdas ...float64) ([]Prediction, error) {
	if err := c.checkVariance(); err != nil {
		return nil, err
	}
	if test == nil {
		test = c
	}
	if !slices.Equal(test.UnitsA, c.UnitsA) || !slices.Equal(test.UnitsB, c.UnitsB) {
		panic("corr: predictions are tested on the same units")
	}
	threads, q := par.Threads(c.Threads), c.q
	a := c.axesA()
	// All in a's principal axes, which make a's own covariance diagonal; those without variance
	// predict nothing.
	projection, p := c.axisBetween(), a.held
	var testAB, testAA []float64
	if test != c {
		testAB = a.project(threads, p, test.ab, q)
		testAA = product(threads, p, p, c.p, dense.Rows(a.project(threads, p, test.aa, c.p), c.p), a.columns(p))
	}
	meanShift := make([]float64, c.p)
	for i := range meanShift {
		meanShift[i] = test.ma[i] - c.ma[i]
	}
	meanShift = a.project(threads, p, meanShift, 1)
	variances := diagonal(test.bb, q)
	var predictions []Prediction
	for _, lambda := range lambdas {
		if !(lambda > 0) {
			return nil, badPenalty(lambda)
		}
		if test == c {
			predictions = append(predictions, c.ridgeOfFit(lambda))
			continue
		}
		w := slices.Clone(projection)
		for k := range p {
			for j := range q {
				w[k*q+j] /= max(0, a.variances[k]) + lambda
			}
		}
		product := product(threads, p, q, p, dense.Rows(testAA, p), w)
		loss, bias := slices.Clone(variances), make([]float64, q)
		for j := range bias {
			bias[j] = test.mb[j] - c.mb[j]
		}
		for k := range p {
			for j := range q {
				v := w[k*q+j]
				loss[j] += float64(v * (product[k*q+j] - 2*testAB[k*q+j]))
				bias[j] -= float64(v * meanShift[k])
			}
		}
		r2 := make([]float64, q)
		for j := range r2 {
			if variances[j] > 0 {
				r2[j] = 1 - (max(0, loss[j])+float64(bias[j]*bias[j]))/variances[j]
			}
		}
		predictions = append(predictions, newPrediction(lambda, r2, variances))
	}
	return predictions, nil
}

// ridgeOfFit returns the prediction of Ridge on the observations that it is fitted to: along an
// axis of variance v it explains the share (2/(v+lambda) - v/(v+lambda)^2) of the squared
// covariance.
func (c *Pair) ridgeOfFit(lambda float64) Prediction {
	a, projection, variances := c.axesA(), c.axisBetween(), diagonal(c.bb, c.q)
	r2 := make([]float64, c.q)
	for k, v := range a.variances[:a.held] {
		v = max(0, v)
		share := 2/(v+lambda) - v/(v+lambda)/(v+lambda)
		for j, x := range projection[k*c.q:][:c.q] {
			r2[j] += float64(share * x * x)
		}
	}
	for j, v := range variances {
		if v > 0 {
			r2[j] = min(1, r2[j]/v)
		}
	}
	return newPrediction(lambda, r2, variances)
}
