package finding

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"sync"

	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/match"
)

// betweenSample is observations of networks of many units, at which chance is drawn.
type betweenSample struct {
	*observe.Between
	rows    int
	all     [][]float32 // by network, of its live units: observations x units
	some    [][]float32 // the same of some of these, spread evenly
	units   []int       // by network, how many these are
	factors []factor    // by network but the first, which is not rotated

	draws, threads int // at once, and for each
}

func newBetweenSample(b *observe.Between, threads int) *betweenSample {
	s := &betweenSample{Between: b, draws: b.DrawsAtOnce(), factors: make([]factor, len(b.Live))}
	s.threads = max(1, par.Threads(threads)/s.draws)
	for n, live := range b.Live {
		some := pick(live, spreadOver(len(live), observe.ChanceUnits))
		s.all, s.some, s.units = append(s.all, b.Sample.Matrix(n, live)), append(s.some, b.Sample.Matrix(n, some)), append(s.units, len(some))
		s.rows = len(s.some[n]) / len(some)
		if n > 0 {
			s.factors[n] = newFactor(threads, s.rows, len(live), s.all[n])
		}
	}
	return s
}

// sampledMatching is what matching gives of some units of A and all of B at the sampled
// observations: one to one, and the mean of best partners.
type sampledMatching struct {
	r    []float64
	best float64
}

// match matches units of A at some observations with units of B at as many.
func (s *betweenSample) match(p results.Pair, rows int, x, y []float32) (sampledMatching, error) {
	m := corr.NewCrossMoments(s.units[p.A], len(s.Live[p.B]))
	m.Threads = s.threads
	if err := m.Add(rows, x, y); err != nil {
		return sampledMatching{}, err
	}
	m.Close()
	r := m.Correlation(nil)
	semi, err := match.SemiMatching(r)
	if err != nil {
		return sampledMatching{}, err
	}
	one, err := matchedIn(r)
	return sampledMatching{one, semi.Mean}, err
}

// exchanged matches units where each network sees the images in an order of its own.
func (s *betweenSample) exchanged(p results.Pair, orders [][]int) (sampledMatching, error) {
	ofA, ofB := s.Sample.Together(orders, p.A, p.B)
	return s.match(p, len(ofA), gather(s.some[p.A], ofA, s.units[p.A]), gather(s.all[p.B], ofB, len(s.Live[p.B])))
}

// gather returns the given rows, of so many units.
func gather(x []float32, rows []int, units int) []float32 {
	y := make([]float32, 0, len(rows)*units)
	for _, r := range rows {
		y = append(y, x[r*units:(r+1)*units]...)
	}
	return y
}

// rotated returns the observations of a network's units after a random rotation of these.
func (s *betweenSample) rotated(n int, rnd *rand.Rand) []float32 {
	f, units := s.factors[n], len(s.Live[n])
	x := make([]float32, s.rows*units)
	if f.rank > 0 {
		weights, directions := f.l, []float32(nil)
		if units >= 2*f.rank {
			weights, directions = f.gaussian(s.threads, s.rows, units, rnd)
		} else {
			directions = singles(corr.Directions(units, f.rank, rnd).RawMatrix().Data)
		}
		level3.Gemm(s.threads, level3.Product{M: s.rows, N: units, K: f.rank, C: x, LDC: units,
			A: level3.Rows{Data: weights, Stride: f.rank}, B: level3.Cols{Data: directions, Stride: units}})
	}
	return x
}

// gaussian returns Gaussian directions G, rank x units, as they were drawn, and the weights L C^-1
// of these, for the Cholesky factor C of G G^T: C^-1 G are random orthonormal rows. Of twice as
// many units as directions G G^T is well-conditioned, and float32 will do.
func (f factor) gaussian(threads, rows, units int, rnd *rand.Rand) (weights, directions []float32) {
	directions = make([]float32, f.rank*units)
	for i := range directions {
		directions[i] = float32(rnd.NormFloat64())
	}
	g := level3.Rows{Data: directions, Stride: units}
	products := make([]float32, f.rank*f.rank)
	level3.Gemm(threads, level3.Product{M: f.rank, N: f.rank, K: units, A: g, B: g, C: products, LDC: f.rank})
	c, inverse := make([]float64, len(products)), make([]float64, len(products)) // of C, transposed
	for i, v := range products {
		c[i] = float64(v)
	}
	for i := range f.rank {
		inverse[i*(f.rank+1)] = 1
	}
	dense.Cholesky(threads, f.rank, c, 0)
	dense.Eliminate(threads, f.rank, f.rank, inverse, c)
	weights = make([]float32, rows*f.rank)
	level3.Gemm(threads, level3.Product{M: rows, N: f.rank, K: f.rank, C: weights, LDC: f.rank,
		A: level3.Rows{Data: f.l, Stride: f.rank}, B: level3.Rows{Data: singles(inverse), Stride: f.rank}})
	return weights, directions
}

// singles returns x in float32.
func singles(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}

// factor is L of the inner products of observations, L L^T = X X^T, of as many columns as the
// observations have dimensions: observations x rank. Units are centred, and on a common scale.
type factor struct {
	rank int
	l    []float32
}

// dependent is the share of an observation's square at and below which what others leave of it is
// the rounding of float32.
const dependent = 1e-5

func newFactor(threads, rows, units int, x []float32) factor {
	means, largest := make([]float64, units), 0.0
	for i, v := range x {
		means[i%units] += float64(v) / float64(rows)
	}
	for i, v := range x {
		largest = max(largest, math.Abs(float64(v)-means[i%units]))
	}
	if largest == 0 {
		return factor{}
	}
	centred := make([]float32, len(x))
	for i, v := range x {
		centred[i] = float32((float64(v) - means[i%units]) / largest)
	}
	products := make([]float32, rows*rows)
	level3.Gemm(par.Threads(threads), level3.Product{M: rows, N: rows, K: units, C: products, LDC: rows,
		A: level3.Rows{Data: centred, Stride: units}, B: level3.Rows{Data: centred, Stride: units}})
	l := make([]float64, len(products))
	for i, v := range products {
		l[i] = float64(v)
	}
	var columns []int
	for i, kept := range dense.Cholesky(par.Threads(threads), rows, l, dependent) {
		if kept && len(columns) < units {
			columns = append(columns, i)
		}
	}
	f := factor{rank: len(columns)}
	for i := range rows {
		for _, k := range columns {
			v := 0.0 // above the diagonal
			if k <= i {
				v = l[i*rows+k]
			}
			f.l = append(f.l, float32(v))
		}
	}
	return f
}

// sideBySide calls f for each of n draws, as many at once as there is memory for.
func (s *betweenSample) sideBySide(ctx context.Context, n int, what string, f func(draw int) error) error {
	var mu sync.Mutex
	errs, done := make([]error, n), 0
	par.For(s.draws, n, func(i int) {
		if errs[i] = ctx.Err(); errs[i] == nil {
			errs[i] = f(i)
		}
		mu.Lock()
		defer mu.Unlock()
		done++
		s.Report(what, done, n)
	})
	return errors.Join(errs...)
}

// null is what the matching of the networks' own units is beside draws, of each pair after
// another.
func (s *betweenSample) null(name string, own, drawn []sampledMatching) results.MatchedNull {
	values := func(all []sampledMatching) (r [][]float64) {
		for _, m := range all {
			r = append(r, m.r)
		}
		return r
	}
	n := matchedNull(name, len(own), values(drawn), pooled(values(own)).mean)
	beyond := make([]float64, len(own))
	for k := range beyond {
		beyond[k] = shareAbove(own[k].r, n.Limit)
	}
	n.Exceedance = newPairFigure(beyond).measure(noInterval)
	n.Exceedance.Null, n.Exceedance.Networks = results.Finite(tail), within(n.Exceedance.Networks, 0, 1)
	n.Units, n.Observations = observe.ChanceUnits, s.rows
	return n
}
