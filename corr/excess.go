package corr

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/par"
)

// Excess returns MeanMaxCorrelation less its mean over draws in which b's units are
// rotated at random, which are those of [Pair.RotationNull]: the correlation that is owed to
// units, and not to the spaces they span (Gurnee and others, "Universal neurons in GPT2
// language models", 2024). It is in [-2, 2], not symmetric, and near 0 for a fully
// distributed code.
func (c *Pair) Excess(draws int, seed uint64) (float64, error) {
	observed, err := c.MeanMaxCorrelation()
	if err != nil {
		return observed, err
	}
	if draws < 1 {
		return math.NaN(), errors.New("corr: a null needs at least one draw")
	}
	threads, width := par.Threads(c.Threads), draws*c.q
	// In b's principal axes, whose covariances with a's units other measures need, too.
	b := c.axesB()
	weights := c.turnedB.of(threads, draws, seed, b)
	r := product(threads, c.p, width, b.held, dense.Rows(c.reversed().axisBetween(), c.p).T(), weights)
	sums := make([]float64, draws)
	for i := range c.p {
		if s := math.Sqrt(c.aa[i*(c.p+1)]); s > 0 {
			for d := range sums {
				sums[d] += slices.Max(r[i*width+d*c.q:][:c.q]) / s
			}
		}
	}
	return observed - mean(sums)/float64(c.p), nil
}

// turned is a network's units in random bases of the space that they span, side by side:
// the weights of principal axes in directions of variance 1, in the columns of a matrix. The
// bases that are asked for first are kept.
type turned struct {
	once      sync.Once
	draws     int
	seed      uint64
	rotations [][]float64
	weights   []float64

	like *turned // of the same units at other observations, which has the rotations; may be nil
}

func (t *turned) of(threads, draws int, seed uint64, a *axes) []float64 {
	t.once.Do(func() {
		if l := t.like; l != nil && l.draws == draws && l.seed == seed {
			t.rotations = l.rotations
		} else {
			t.rotations = rotations(threads, draws, seed, a.n)
		}
		t.draws, t.seed, t.weights = draws, seed, a.inBases(threads, t.rotations)
	})
	if t.draws != draws || t.seed != seed {
		return a.inBases(threads, rotations(threads, draws, seed, a.n))
	}
	return t.weights
}

// rotations returns those of order n that [Pair.RotationNull] draws.
func rotations(threads, draws int, seed uint64, n int) [][]float64 {
	all := make([][]float64, draws)
	par.For(threads, draws, func(d int) { all[d] = Rotation(n, rand.New(rand.NewPCG(seed, uint64(d)))).RawMatrix().Data })
	return all
}

// inBases returns the weights, held x draws n, of rotations of the units.
func (a *axes) inBases(threads int, rotations [][]float64) []float64 {
	draws, n, width := len(rotations), a.n, len(rotations)*a.n
	weights := make([]float64, a.held*width)
	outer := max(1, threads/draws)
	par.For(threads, draws, func(d int) {
		x := product(outer, a.held, n, n, dense.Rows(a.rows, n), rotations[d])
		variances := make([]float64, n)
		for k, v := range a.variances[:a.held] {
			for j, w := range x[k*n:][:n] {
				variances[j] += float64(max(0, v) * w * w)
			}
		}
		for j, v := range variances {
			if variances[j] = 0; v > 0 {
				variances[j] = 1 / math.Sqrt(v)
			}
		}
		for k := range a.held {
			row := weights[k*width+d*n:][:n]
			for j, scale := range variances {
				row[j] = x[k*n+j] * scale
			}
		}
	})
	return weights
}
