package match

import (
	"math"
	"sync"

	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/par"
)

// Problems are wide from so many sources on. Below, nothing is gained.
const minWideSources = 256

// wideTargets is how many targets of a wide problem are solved together: enough that the
// operator, which they are multiplied by, is read at less than the speed of memory.
const wideTargets = 72

// wideLambdas returns how many of the falling lambdas, of which the first so many are
// positive, the homotopy follows; the weights at the others come from the alternating
// directions and the active set. It is the number of the least predicted cost: with k of p
// sources, the homotopy's steps down to a lambda take some k^3/5 ns a target; the
// iterations at a lambda take some 2 p^2/5 ns a target, whatever k, and their operator
// p^3/60 ns for all targets. The first target tells how k grows. Where the largest lambda
// leaves most sources their weights, the homotopy comes from below, and k are the others.
func (r *lassoSolver) wideLambdas(positive int) int {
	if r.p < minWideSources || r.o.Ratio != 1 || positive == 0 || r.targets == 0 {
		return positive
	}
	p := float64(r.p)
	iterations, operator := 0.4*p*p, p*p*p/60/float64(r.targets)
	most := math.Cbrt(5 * (float64(iterations*float64(positive)) + operator))
	if most >= p/2 {
		return positive
	}
	weights, h := make([]float64, positive*r.p), newHomotopy(r.ctx, r.p)
	reached := h.descend(r.sxx, r.sxy[:r.p], r.lambdas[:positive], weights, int(most))
	if reached == 0 && h.descend(r.sxx, r.sxy[:r.p], r.lambdas[:1], weights, r.p/2) == 0 {
		if r.solveEnd(); r.wellConditioned && h.ascend(r.inverse, r.endWeights[:r.p], r.lambdas[:positive], weights) == 0 {
			if k := p - float64(countAbove(weights[:r.p], 0)); k*k*k/5 < iterations*float64(positive) {
				return positive
			}
		}
	}
	best, least := 0, math.Inf(1)
	for i := range reached + 1 {
		cost := float64(float64(positive-i) * iterations)
		if i < positive {
			cost += operator
		}
		if i > 0 {
			k := float64(countAbove(weights[(i-1)*r.p:][:r.p], 0))
			cost += k * k * k / 5
		}
		if cost < least {
			best, least = i, cost
		}
	}
	return best
}

// wideBlock solves a block of targets of a wide problem.
type wideBlock struct {
	*targetSolver
	iterations *directions
	active     *activeSet
}

// solveWide calls record as targetSolver.solve does for every target and lambda.
func (r *lassoSolver) solveWide(record func(i int, p *path, sweeps int) error) error {
	operators := newOperators(r.problem, par.Threads(r.o.Threads), r.lambdas)
	scratch := sync.Pool{New: func() any {
		return &wideBlock{r.newTargetSolver(), newDirections(operators), newActiveSet(r.problem)}
	}}
	return r.solveBlocks(wideTargets, func(first, end int) error {
		b := scratch.Get().(*wideBlock)
		defer scratch.Put(b)
		return b.solve(first, end, record)
	})
}

// solve solves targets [first, end).
func (b *wideBlock) solve(first, end int, record func(i int, p *path, sweeps int) error) error {
	s, p := b.path, b.p
	reached := make([]int, end-first) // lambdas of each target that the homotopy comes to
	for t := first; t < end; t++ {
		if err := b.ctx.Err(); err != nil {
			return err
		}
		s.begin(t)
		n := b.homotopy.descend(b.sxx, s.c(), b.lambdas[:b.wide], b.weights, (p+1)/2)
		reached[t-first] = n
		for i, lambda := range b.lambdas[:n] {
			s.set(b.weights[i*p:][:p], lambda, 0)
			if err := b.finish(i, record); err != nil {
				return err
			}
		}
	}
	for i, lambda := range b.lambdas {
		var targets []int
		for t := first; t < end; t++ {
			if reached[t-first] <= i {
				targets = append(targets, t)
			}
		}
		if lambda > 0 && len(targets) > 0 {
			if err := b.iterations.run(i, targets); err != nil {
				return err
			}
		}
		for k, t := range targets {
			if err := b.ctx.Err(); err != nil {
				return err
			}
			s.begin(t)
			if lambda == 0 {
				b.moveToEnd(s)
			} else {
				b.polish(i, k)
			}
			if err := b.finish(i, record); err != nil {
				return err
			}
		}
	}
	return nil
}

// finish records the path's weights, which are nearly those at lambda i, after coordinate
// descent if they are not.
func (b *wideBlock) finish(i int, record func(i int, p *path, sweeps int) error) error {
	sweeps, lambda := 0, b.lambdas[i]
	if lambda > 0 && !b.path.isOptimal(lambda, b.o.Tol) {
		var err error
		if sweeps, err = b.path.follow(lambda, b.o.Tol, b.o.MaxIter); err != nil {
			return err
		}
	}
	return record(i, b.path, sweeps)
}

// polish moves the path to the weights at lambda i of the target in place k of the
// iterations, whose signs are nearly right.
func (b *wideBlock) polish(i, k int) {
	s, a, lambda, n := b.path, b.active, b.lambdas[i], 0
	z, u := b.iterations.guess(k)
	for _, z := range z {
		if z != 0 {
			n++
		}
	}
	if 2*n > b.p {
		if b.solveEnd(); b.wellConditioned && a.ascend(b.inverse, b.endWeights[s.target*b.p:][:b.p], lambda, z, u) {
			s.set(a.w, lambda, 0)
			if s.isOptimal(lambda, b.o.Tol) {
				return
			}
		}
	}
	if !a.descend(s.target, lambda, b.o.Tol, z) {
		a.search(s.target, lambda, b.o.Tol, z, b.iterations.units(i))
	}
	copy(s.w, a.w)
	copy(s.g, a.g)
	s.lambda, s.ridge = lambda, 0
}

// standardScales returns the inverses of the sources' standard deviations; 0 for constant
// ones.
func (pr *problem) standardScales() []float64 {
	scale := make([]float64, pr.p)
	for j := range scale {
		if v := pr.sxx[j*(pr.p+1)]; v > 0 {
			scale[j] = 1 / math.Sqrt(v)
		}
	}
	return scale
}

// factorCorrelation returns the factor of the sources' correlations plus ridge I.
func (pr *problem) factorCorrelation(threads int, scale []float64, ridge, share float64) *dense.Factor {
	f := dense.NewFactor(threads, pr.p)
	f.Extend(pr.p, share, func(i, first int, dst []float64) {
		from, scales := pr.row(i)[first:], scale[first:]
		for j := range dst {
			dst[j] = float64(from[j] * scale[i] * scales[j])
			if first+j == i {
				dst[j] += ridge
			}
		}
	})
	return f
}
