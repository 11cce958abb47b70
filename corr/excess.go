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
	weights := c.turnedB.of(threads, draws, seed, c.bb, c.q)
	r := product(threads, c.p, width, c.q, dense.Rows(c.ab, c.q), weights)
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
// the weights of units in directions of variance 1, in the columns of a matrix. The bases
// that are asked for first are kept.
type turned struct {
	once    sync.Once
	draws   int
	seed    uint64
	weights []float64
}

func (t *turned) of(threads, draws int, seed uint64, covariance []float64, n int) []float64 {
	t.once.Do(func() { t.draws, t.seed, t.weights = draws, seed, randomBases(threads, draws, seed, covariance, n) })
	if t.draws != draws || t.seed != seed {
		return randomBases(threads, draws, seed, covariance, n)
	}
	return t.weights
}

// randomBases returns n x draws n weights, for the rotations that [Pair.RotationNull] draws.
func randomBases(threads, draws int, seed uint64, covariance []float64, n int) []float64 {
	weights := make([]float64, n*draws*n)
	par.For(threads, draws, func(d int) {
		q := Rotation(n, rand.New(rand.NewPCG(seed, uint64(d)))).RawMatrix().Data
		x := product(1, n, n, n, dense.Rows(covariance, n), q)
		for j := range n {
			var variance float64
			for i := range n {
				variance += float64(q[i*n+j] * x[i*n+j])
			}
			scale := 0.0
			if variance > 0 {
				scale = 1 / math.Sqrt(variance)
			}
			for i := range n {
				weights[i*draws*n+d*n+j] = q[i*n+j] * scale
			}
		}
	})
	return weights
}
