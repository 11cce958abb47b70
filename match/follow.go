package match

import (
	"context"
	"sync"

	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/par"
)

// run is what targets share on their way along falling lambdas.
type run struct {
	*problem
	o       LassoOptions
	lambdas []float64

	ends    sync.Once // finds the other end of the path, lambda = 0
	inverse []float64 // of all covariances
	sound   bool      // sources do not determine each other
	zero    []float64 // weights there: targets x p

	upwards bool // the path is shorter from there
}

func newRun(pr *problem, o LassoOptions, falling []float64) *run {
	r := &run{problem: pr, o: o, lambdas: falling}
	// Where the largest lambda leaves the first target more than half of the sources,
	// it does so for most.
	if first := falling[0]; first > 0 && o.Ratio == 1 && pr.p > 1 && pr.targets > 0 {
		h := newHomotopy(pr.p)
		r.upwards = h.down(pr.sxx, pr.sxy[:pr.p], falling[:1], make([]float64, pr.p), pr.p/2) == 0
	}
	return r
}

// end is called before inverse, sound or zero are used.
func (r *run) end() {
	r.ends.Do(func() {
		if r.p == 0 || r.targets == 0 {
			return
		}
		var condition float64
		r.inverse, condition = r.inverseCovariance(par.Threads(r.o.Threads))
		r.zero = r.leastSquares(par.Threads(r.o.Threads), r.inverse)
		r.sound = condition > 1e-8
	})
}

// follower takes one target after another along the lambdas.
type follower struct {
	*run
	path     *path
	homotopy *homotopy
	weights  []float64 // lambdas x p
	g        []float64 // for them
}

func (r *run) newFollower() *follower {
	n := len(r.lambdas) * r.p
	return &follower{r, newPath(r.problem), newHomotopy(r.p), make([]float64, n), make([]float64, n)}
}

// target calls found with the weights for every lambda in turn, and how many sweeps of
// coordinate descent they took.
//
// Weights come from the homotopy; the KKT conditions are what is believed, and where it
// misses them, or stops since sources determine each other, descent goes on from the
// weights before.
func (f *follower) target(ctx context.Context, t int, found func(i int, p *path, sweeps int) error) error {
	s, p := f.path, f.p
	s.begin(t)
	from, to := f.follow(t)
	for i, lambda := range f.lambdas {
		if err := ctx.Err(); err != nil {
			return err
		}
		ridge := lambda * (1 - f.o.Ratio)
		sweeps := 0
		switch {
		case lambda == 0:
			f.end()
			s.set(f.zero[t*p:][:p], 0, 0)
		case i < from || i >= to:
			copy(s.w, f.weights[i*p:][:p])
			copy(s.g, f.g[i*p:][:p])
			s.lambda = lambda
			if s.optimal(lambda, f.o.Tol) {
				break
			}
			fallthrough
		default:
			s.penalise(ridge)
			var err error
			if sweeps, err = s.follow(lambda*f.o.Ratio, f.o.Tol, f.o.MaxIter); err != nil {
				return err
			}
		}
		if err := found(i, s, sweeps); err != nil {
			return err
		}
	}
	return nil
}

// follow fills weights and their gradients by the homotopy, but for those of lambdas
// [from, to).
func (f *follower) follow(t int) (from, to int) {
	for to < len(f.lambdas) && f.lambdas[to] > 0 {
		to++
	}
	if f.o.Ratio != 1 || f.p == 0 {
		return 0, to
	}
	p, positive, c := f.p, to, f.path.c()
	up := func() {
		if f.end(); f.sound {
			to = from + f.homotopy.up(f.inverse, f.zero[t*p:][:p], f.lambdas[from:to], f.weights[from*p:])
		}
	}
	if f.upwards {
		up()
	}
	if from < to {
		most := (p + 1) / 2
		if f.upwards {
			most = p
		}
		from = f.homotopy.down(f.sxx, c, f.lambdas[:to], f.weights, most)
	}
	if from < to && !f.upwards {
		up()
	}
	if from < to { // sources may determine each other
		from = f.homotopy.steps(f.sxx, c, f.lambdas[:to], f.weights, nil)
	}
	// g = c - Q w, for all at once where they are many.
	for i := range positive {
		copy(f.g[i*p:], c)
	}
	if positive >= 8 {
		dense.Gemm(1, positive, p, p, -1, dense.Rows(f.weights, p), dense.Rows(f.sxx, p), f.g, p)
		return from, to
	}
	for i := range positive {
		f.path.gradientOf(f.g[i*p:][:p], f.weights[i*p:][:p])
	}
	return from, to
}
