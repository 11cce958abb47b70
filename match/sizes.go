package match

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/par"
)

// LassoSizes predicts each target from few sources, as [Lasso] does, but for given
// numbers of sources instead of given penalties: fits[i] is where each target's path,
// from large lambda down, is about to give weight to more than sizes[i] sources, or, if
// it never is, at lambda = 0. Its Lambdas say where that is. o.Lambdas and o.Ratio are
// not used.
//
// Sizes below 0 or a target that cannot be followed are an error, and the errors of
// Lasso are those of LassoSizes.
func LassoSizes(ctx context.Context, sxx, sxy mat.Matrix, sizes []int, o LassoOptions) ([]LassoFit, error) {
	o.Lambdas, o.Ratio = []float64{0}, 1
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	pr, err := newProblem(sxx, sxy, o.Variance)
	if err != nil {
		return nil, err
	}
	fits := make([]LassoFit, len(sizes))
	order := make([]int, len(sizes))
	for i, size := range sizes {
		if size < 0 {
			return nil, fmt.Errorf("match: a prediction from %d sources", size)
		}
		fits[i], order[i] = newFit(math.NaN(), pr, o), i
		fits[i].Lambdas = make([]float64, pr.targets)
	}
	slices.SortStableFunc(order, func(a, b int) int { return sizes[a] - sizes[b] })
	r := newRun(pr, o, []float64{0})

	var lock sync.Mutex
	done := 0
	errs := make([]error, pr.targets)
	scratch := sync.Pool{New: func() any { return r.newFollower() }}
	par.For(par.Threads(o.Threads), pr.targets, func(t int) {
		if errs[t] = ctx.Err(); errs[t] != nil {
			return
		}
		s := scratch.Get().(*follower)
		defer scratch.Put(s)
		s.path.begin(t)
		left := order
		found := func(lambda float64, size int) bool {
			for ; len(left) > 0 && sizes[left[0]] <= size && errs[t] == nil; left = left[1:] {
				f := &fits[left[0]]
				f.Lambdas[t] = lambda
				errs[t] = s.path.record(f, lambda, o.Thresholds)
			}
			return len(left) > 0 && errs[t] == nil
		}
		s.homotopy.steps(pr.sxx, s.path.c(), nil, nil, func(lambda float64, size int) bool {
			if sizes[left[0]] > size {
				return true
			}
			s.path.set(s.homotopy.w, lambda, 0)
			return found(lambda, size)
		})
		// Where sources determine each other the path goes on, but not by steps.
		for len(left) > 0 && errs[t] == nil {
			errs[t] = s.path.narrow(sizes[left[0]], o)
			found(s.path.lambda, sizes[left[0]])
		}
		if errs[t] == nil && o.Progress != nil {
			lock.Lock()
			defer lock.Unlock()
			done++
			o.Progress(done, pr.targets)
		}
	})
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return fits, nil
}

// narrow finds by bisection where the path has no more than size weights, and just below
// that has.
func (s *path) narrow(size int, o LassoOptions) error {
	s.begin(s.target)
	high, low := s.lambda, 0.0
	best := slices.Clone(s.w)
	for range 60 {
		lambda := math.Sqrt(high * max(low, high*1e-8))
		if low == 0 {
			lambda = high / 8
		}
		if lambda < 1e-12*largest(s.c()) || high-low <= 1e-9*high {
			break
		}
		s.set(best, high, 0)
		if _, err := s.follow(lambda, o.Tol, o.MaxIter); err != nil {
			return err
		}
		count := 0
		for _, w := range s.w {
			if w != 0 {
				count++
			}
		}
		if count <= size {
			high = lambda
			copy(best, s.w)
		} else {
			low = lambda
		}
	}
	s.set(best, high, 0)
	return nil
}
