package match

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/par"
)

// lassoSolver holds what the paths of all targets share.
type lassoSolver struct {
	*problem
	o       LassoOptions
	order   []int     // of the options' lambdas, falling
	lambdas []float64 // in that order

	// The least squares solution, at the end of the paths where lambda = 0: see solveEnd.
	endOnce         sync.Once
	endWeights      []float64 // targets x p
	endGradients    []float64 // likewise
	inverse         []float64 // of all covariances, if wellConditioned
	wellConditioned bool      // sources do not determine each other

	ascending bool // the paths are shorter from lambda = 0
	wide      int  // lambdas from this one on are those of wideBlock
}

// newLassoSolver checks the options and covariances.
func newLassoSolver(ctx context.Context, sxx, sxy mat.Matrix, o LassoOptions) (*lassoSolver, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	pr, err := newProblem(ctx, sxx, sxy, o.Variance)
	if err != nil {
		return nil, err
	}
	r := &lassoSolver{problem: pr, o: o, order: indices(len(o.Lambdas))}
	slices.SortStableFunc(r.order, func(a, b int) int { return cmp.Compare(o.Lambdas[b], o.Lambdas[a]) })
	for _, k := range r.order {
		r.lambdas = append(r.lambdas, o.Lambdas[k])
	}
	r.wide = r.positive()
	r.wide = r.wideLambdas(r.wide)
	if r.isWide() {
		return r, nil
	}
	// Where the largest lambda leaves the first target more than half of the sources, it
	// does so for most targets.
	if lambdaMax := r.lambdas[0]; lambdaMax > 0 && o.Ratio == 1 && pr.p > 1 && pr.targets > 0 {
		h := newHomotopy(ctx, pr.p)
		r.ascending = h.descend(pr.sxx, pr.sxy[:pr.p], r.lambdas[:1], make([]float64, pr.p), pr.p/2) == 0
	}
	return r, nil
}

// positive returns the number of lambdas that are not 0.
func (r *lassoSolver) positive() int {
	n := 0
	for n < len(r.lambdas) && r.lambdas[n] > 0 {
		n++
	}
	return n
}

// isWide reports whether wideBlock solves the problem.
func (r *lassoSolver) isWide() bool { return r.wide < r.positive() }

// indices returns 0, 1, ..., n-1.
func indices(n int) []int {
	x := make([]int, n)
	for i := range x {
		x[i] = i
	}
	return x
}

// solveTargets calls solve for every target, and returns the error of the first target
// that has one.
func (r *lassoSolver) solveTargets(solve func(f *targetSolver, target int) error) error {
	scratch := sync.Pool{New: func() any { return r.newTargetSolver() }}
	return r.solveBlocks(1, func(t, _ int) error {
		f := scratch.Get().(*targetSolver)
		defer scratch.Put(f)
		return solve(f, t)
	})
}

// solveBlocks calls solve for blocks of so many targets, [first, end) each, reports their
// progress, and returns the error of the first block that has one.
func (r *lassoSolver) solveBlocks(size int, solve func(first, end int) error) error {
	var lock sync.Mutex
	done := 0
	errs := make([]error, r.targets) // of a block in the place of its first target
	par.Blocks(par.Threads(r.o.Threads), r.targets, size, func(first, end int) {
		err := r.ctx.Err()
		if err == nil {
			err = solve(first, end)
		}
		if errs[first] = err; err != nil || r.o.Progress == nil {
			return
		}
		lock.Lock()
		defer lock.Unlock()
		for range end - first {
			done++
			r.o.Progress(done, r.targets)
		}
	})
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return r.ctx.Err() // which has cut short what is solved
}

// targetSolver follows the path of one target after another.
type targetSolver struct {
	*lassoSolver
	path     *path
	homotopy *homotopy
	weights  []float64 // lambdas x p
	g        []float64 // their gradients
}

func (r *lassoSolver) newTargetSolver() *targetSolver {
	n := len(r.lambdas) * r.p
	return &targetSolver{r, newPath(r.problem), newHomotopy(r.ctx, r.p), make([]float64, n), make([]float64, n)}
}

// solve calls record for every lambda in turn, with the path at its weights and the
// number of sweeps of coordinate descent.
//
// Weights come from the homotopy. Where they violate the KKT conditions, or it stops
// since sources determine each other, coordinate descent continues from the weights of
// the lambda before.
func (f *targetSolver) solve(t int, record func(i int, p *path, sweeps int) error) error {
	s, p := f.path, f.p
	s.begin(t)
	from, to := f.followHomotopy(t)
	for i, lambda := range f.lambdas {
		if err := f.ctx.Err(); err != nil {
			return err
		}
		ridge := lambda * (1 - f.o.Ratio)
		sweeps := 0
		switch {
		case lambda == 0:
			f.moveToEnd(s)
		case i < from || i >= to:
			copy(s.w, f.weights[i*p:][:p])
			copy(s.g, f.g[i*p:][:p])
			s.lambda = lambda
			if s.isOptimal(lambda, f.o.Tol) {
				break
			}
			fallthrough
		default:
			s.setRidge(ridge)
			var err error
			if sweeps, err = s.follow(lambda*f.o.Ratio, f.o.Tol, f.o.MaxIter); err != nil {
				return err
			}
		}
		if err := record(i, s, sweeps); err != nil {
			return err
		}
	}
	return nil
}

// followHomotopy sets weights and their gradients by the homotopy, but for those of
// lambdas [from, to).
func (f *targetSolver) followHomotopy(t int) (from, to int) {
	to = f.positive()
	if f.o.Ratio != 1 || f.p == 0 {
		return 0, to
	}
	p, positiveCount, c := f.p, to, f.path.c()
	ascend := func() {
		if f.solveEnd(); f.wellConditioned {
			to = from + f.homotopy.ascend(f.inverse, f.endWeights[t*p:][:p], f.lambdas[from:to], f.weights[from*p:])
		}
	}
	if f.ascending {
		ascend()
	}
	if from < to {
		maxMembers := (p + 1) / 2
		if f.ascending {
			maxMembers = p
		}
		from = f.homotopy.descend(f.sxx, c, f.lambdas[:to], f.weights, maxMembers)
	}
	if from < to && !f.ascending {
		ascend()
	}
	if from < to { // sources may determine each other
		from = f.homotopy.descendStepwise(f.sxx, c, f.lambdas[:to], f.weights, nil)
	}
	// g = c - Q w, in one product for eight lambdas or more.
	for i := range positiveCount {
		copy(f.g[i*p:], c)
	}
	if positiveCount >= 8 {
		dense.Gemm(1, dense.Product{M: positiveCount, N: p, K: p, Alpha: -1, A: dense.Rows(f.weights, p), B: dense.Rows(f.sxx, p), C: f.g, LDC: p})
		return from, to
	}
	for i := range positiveCount {
		f.path.subtractProduct(f.g[i*p:][:p], f.weights[i*p:][:p])
	}
	return from, to
}
