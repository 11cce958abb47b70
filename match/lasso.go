package match

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// LassoOptions are the options of [Lasso] and [LassoSizes]. Only Lambdas is required.
type LassoOptions struct {
	Lambdas  []float64 // penalties >= 0, in any order
	Variance []float64 // of each target; nil: all 1

	// Ratio is the share of lambda that penalises |w|_1; the rest penalises 1/2 |w|^2:
	// the elastic net (Zou and Hastie, J. R. Statist. Soc. B 67, 2005), with the
	// parameters of scikit-learn. 0: 1, the LASSO.
	Ratio float64

	// A prediction is done when no KKT residual exceeds Tol, in correlations, and
	// the duality gap is within Tol of the loss of predicting zero, or as small as
	// rounding lets it be; 0: 1e-10. MaxIter bounds the sweeps of coordinate
	// descent for one target at one lambda, given or on the way; 0: 10000.
	Tol     float64
	MaxIter int

	Threads     int                   // 0: all
	Thresholds  []float64             // for LassoFit.NonZero; nil: 0 alone
	KeepWeights bool                  // set LassoFit.W
	Progress    func(done, total int) // targets; calls do not overlap
}

// LassoFit is the sparse prediction of every target at one lambda.
type LassoFit struct {
	Lambda  float64    // NaN where each target has its own
	Lambdas []float64  // per target, from LassoSizes
	W       *mat.Dense // sources x targets; nil without KeepWeights
	Loss    []float64  // 1/2 E(w.x - y)^2 per target, without the penalty
	R2      []float64  // 1 - 2 Loss / Var y per target; 0 for a constant target
	Gap     []float64  // certificate per target: see Lasso
	NonZero [][]int    // number of |w| above each threshold per target: thresholds x targets
	Iter    []int      // sweeps of coordinate descent per target; 0 where the homotopy sufficed
}

// maxLambdas bounds the number of lambdas.
const maxLambdas = 10000

// Lasso returns sparse predictions of each of several targets y from p sources x, one fit
// for each lambda, in the order of o.Lambdas: the weights minimise
//
//	P(w) = 1/2 E(w.x - y)^2 + lambda (ratio |w|_1 + (1 - ratio)/2 |w|^2)
//
// of centred variables, and follow from the p x p covariances sxx of the sources and the
// p x targets covariances sxy alone (paper, section 4; see [PaperLambda]). Give
// correlations for variables of variance 1, as the paper has them, or covariances with
// o.Variance.
//
// Each target's Gap is an upper bound of P(w) less its minimum, a loose one if
// lambda is close to rounding error. At lambda = 0 the weights are the least
// squares solution of smallest norm in standard deviations, and Gap is the largest
// |gradient| instead, max_j |E x_j (y - w.x)|: rounding error, unless the matrices
// are not the covariances of any variables.
//
// A constant source (variance 0) has weight 0, a constant target all weights 0.
// Where identical sources leave the weights undetermined, the result is one of the
// solutions, the same in every run.
//
// Shapes that do not agree panic. NaN, Inf and values that cannot be covariances
// are an error naming row and column, as are options out of range, and a target
// that has not converged after o.MaxIter sweeps.
func Lasso(ctx context.Context, sxx, sxy mat.Matrix, o LassoOptions) ([]LassoFit, error) {
	r, err := newLassoSolver(ctx, sxx, sxy, o)
	if err != nil {
		return nil, err
	}
	fits := make([]LassoFit, len(o.Lambdas))
	for i, lambda := range o.Lambdas {
		fits[i] = newFit(lambda, r.problem, r.o)
	}
	record := func(i int, p *path, sweeps int) error {
		fit := &fits[r.order[i]]
		fit.Iter[p.target] = sweeps
		return p.record(fit, fit.Lambda, r.o.Thresholds)
	}
	solve := func(f *targetSolver, t int) error { return f.solve(t, record) }
	if r.isWide() {
		err = r.solveWide(record)
	} else {
		err = r.solveTargets(solve)
	}
	if err != nil {
		return nil, err
	}
	return fits, nil
}

// LambdaMax returns the largest absolute value of sxy: the smallest lambda at which all
// weights of all targets are 0.
func LambdaMax(sxy mat.Matrix) float64 {
	rows, cols := sxy.Dims()
	var largest float64
	for i := range rows {
		for j := range cols {
			largest = max(largest, math.Abs(sxy.At(i, j)))
		}
	}
	return largest
}

// PaperLambda returns the lambda of [Lasso] that corresponds to the paper's for
// predictions from a number of channels: the paper's loss is a mean over channels, and its
// penalty is not.
func PaperLambda(lambda float64, channels int) float64 { return lambda * float64(channels) }

// LambdaGrid returns n values that fall from largest to smallest by equal factors;
// largest alone if n = 1. It panics unless 0 < smallest <= largest and n >= 1.
func LambdaGrid(largest, smallest float64, n int) []float64 {
	if !(0 < smallest && smallest <= largest) || n < 1 {
		panic(badGrid)
	}
	grid := make([]float64, n)
	for i := range grid {
		grid[i] = largest * math.Pow(smallest/largest, float64(i)/float64(max(1, n-1)))
	}
	return grid
}

func (o LassoOptions) withDefaults() (LassoOptions, error) {
	if len(o.Lambdas) == 0 || len(o.Lambdas) > maxLambdas {
		return o, fmt.Errorf("match: %d lambdas; want 1 to %d", len(o.Lambdas), maxLambdas)
	}
	for _, lambda := range o.Lambdas {
		if !(lambda >= 0 && lambda <= limit) {
			return o, fmt.Errorf("match: lambda %v; want a finite value >= 0", lambda)
		}
	}
	for _, threshold := range o.Thresholds {
		if !(threshold >= 0) {
			return o, fmt.Errorf("match: threshold %v; want >= 0", threshold)
		}
	}
	if !(o.Tol >= 0) || o.MaxIter < 0 {
		return o, fmt.Errorf("match: tolerance %v with at most %d sweeps; want neither below 0", o.Tol, o.MaxIter)
	}
	if !(o.Ratio >= 0 && o.Ratio <= 1) {
		return o, fmt.Errorf("match: a share of %v of the penalty; want 0 to 1", o.Ratio)
	}
	if o.Ratio == 0 {
		o.Ratio = 1
	}
	if o.Tol == 0 {
		o.Tol = 1e-10
	}
	if o.MaxIter == 0 {
		o.MaxIter = 10000
	}
	if o.Thresholds == nil {
		o.Thresholds = []float64{0}
	}
	return o, nil
}

func newFit(lambda float64, pr *problem, o LassoOptions) LassoFit {
	f := LassoFit{
		Lambda:  lambda,
		Loss:    make([]float64, pr.targets),
		R2:      make([]float64, pr.targets),
		Gap:     make([]float64, pr.targets),
		NonZero: make([][]int, len(o.Thresholds)),
		Iter:    make([]int, pr.targets),
	}
	for i := range f.NonZero {
		f.NonZero[i] = make([]int, pr.targets)
	}
	if o.KeepWeights {
		f.W = &mat.Dense{}
		if pr.p > 0 && pr.targets > 0 {
			f.W = mat.NewDense(pr.p, pr.targets, nil)
		}
	}
	return f
}
