package match

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// LassoSizes returns sparse predictions of each target, as [Lasso] does, but for given
// numbers of sources instead of given penalties: fits[i] is where each target's path,
// from large lambda down, is about to give weight to more than sizes[i] sources, or, if
// it never is, at lambda = 0. Its Lambdas are the penalties there. o.Lambdas and o.Ratio
// are not used.
//
// Sizes below 0 or a target that cannot be followed are an error, and the errors of
// Lasso are those of LassoSizes. No sizes give no fits.
func LassoSizes(ctx context.Context, sxx, sxy mat.Matrix, sizes []int, o LassoOptions) ([]LassoFit, error) {
	o.Lambdas, o.Ratio = []float64{0}, 1
	r, err := newLassoSolver(ctx, sxx, sxy, o)
	if err != nil {
		return nil, err
	}
	fits := make([]LassoFit, len(sizes))
	for i, size := range sizes {
		if size < 0 {
			return nil, fmt.Errorf("match: a prediction from %d sources", size)
		}
		fits[i] = newFit(math.NaN(), r.problem, r.o)
		fits[i].Lambdas = make([]float64, r.targets)
	}
	if len(sizes) == 0 {
		return fits, nil
	}
	order := indices(len(sizes)) // of rising sizes
	slices.SortStableFunc(order, func(a, b int) int { return sizes[a] - sizes[b] })
	if err := r.solveTargets(func(f *targetSolver, t int) error {
		return f.solveSizes(t, sizes, order, fits)
	}); err != nil {
		return nil, err
	}
	return fits, nil
}

// solveSizes records the fits of target t, in the order of rising sizes.
func (f *targetSolver) solveSizes(t int, sizes, order []int, fits []LassoFit) error {
	f.path.begin(t)
	remaining := order
	var err error
	// record records the remaining fits of up to size sources, and reports whether others
	// remain.
	record := func(lambda float64, size int) bool {
		for ; len(remaining) > 0 && sizes[remaining[0]] <= size && err == nil; remaining = remaining[1:] {
			fit := &fits[remaining[0]]
			fit.Lambdas[t] = lambda
			err = f.path.record(fit, lambda, f.o.Thresholds)
		}
		return len(remaining) > 0 && err == nil
	}
	f.homotopy.descendStepwise(f.sxx, f.path.c(), nil, nil, func(lambda float64, size int) bool {
		if sizes[remaining[0]] > size {
			return true
		}
		f.path.set(f.homotopy.w, lambda, 0)
		return record(lambda, size)
	})
	// Where sources determine each other the path continues, but not by steps.
	for len(remaining) > 0 && err == nil {
		if err = f.path.bisect(sizes[remaining[0]], f.o); err == nil {
			record(f.path.lambda, sizes[remaining[0]])
		}
	}
	return err
}

// negligible is the share of the largest covariance below which a penalty is lost in the
// rounding of covariances: of fewer observations than sources, or of sources that hardly vary,
// these are no longer positive semidefinite, and the path may not get further.
const negligible = 1e-5

// bisect moves to the smallest lambda, to a relative 1e-9, at which the path has no more
// than size weights; or near the smallest that it gets to, if that is negligible.
func (s *path) bisect(size int, o LassoOptions) error {
	s.begin(s.target)
	high, low := s.lambda, 0.0
	best := slices.Clone(s.w)
	for range 60 {
		lambda := math.Sqrt(high * max(low, high*1e-8))
		if low == 0 {
			lambda = high / 8
		}
		if lambda < 1e-12*maxAbs(s.c()) || high-low <= 1e-9*high {
			break
		}
		s.set(best, high, 0)
		if _, err := s.follow(lambda, o.Tol, o.MaxIter); err != nil {
			if lambda < negligible*maxAbs(s.c()) {
				break
			}
			return err
		}
		if countAbove(s.w, 0) <= size {
			high = lambda
			copy(best, s.w)
		} else {
			low = lambda
		}
	}
	s.set(best, high, 0)
	return nil
}
