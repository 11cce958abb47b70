package corr

import (
	"errors"
	"math"
	"math/rand/v2"
	"sync"

	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/internal/vec"
)

// Excess returns MeanMaxCorrelation less its mean over draws in which b's units are
// rotated at random, which are those of [Pair.RotationNull]: the correlation that is owed to
// units, and not to the spaces they span (Gurnee and others, "Universal neurons in GPT2
// language models", 2024). It is in [-2, 2], not symmetric, and near 0 for a fully
// distributed code. What is rotated is summed in float32, and errs by some 1e-7.
func (c *Pair) Excess(draws int, seed uint64) (float64, error) {
	observed, err := c.MeanMaxCorrelation()
	if err != nil {
		return observed, err
	}
	return c.beyondRotated(observed, draws, seed)
}

// excessOfB returns Excess with a and b exchanged.
func (c *Pair) excessOfB(draws int, seed uint64) (float64, error) {
	observed, err := c.meanMaxOfB()
	if err != nil {
		return observed, err
	}
	return c.reversed().beyondRotated(observed, draws, seed)
}

// beyondRotated returns what MeanMaxCorrelation is less its mean over rotations of b's units.
func (c *Pair) beyondRotated(observed float64, draws int, seed uint64) (float64, error) {
	if draws < 1 {
		return math.NaN(), errors.New("corr: a null needs at least one draw")
	}
	// In b's principal axes, whose covariances with a's units other measures need, too.
	threads, width, b := par.Threads(c.Threads), draws*c.q, c.axesB()
	weights := c.turnedB.of(threads, draws, seed, b)
	between := axisCorrelations(c.reversed().axisBetween(), c.aa, b.deviations(), c.p)
	r := level3.Scratch(c.p * width)
	defer level3.Release(r)
	level3.Gemm(threads, level3.Product{M: c.p, N: width, K: b.held, A: level3.Rows{Data: between, Stride: b.held}, B: level3.Cols{Data: weights, Stride: width}, C: *r, LDC: width})
	var sum float64
	for drawn := *r; len(drawn) > 0; drawn = drawn[c.q:] {
		sum += float64(vec.Largest(drawn[:c.q]))
	}
	return observed - sum/float64(draws)/float64(c.p), nil
}

// turned is a network's units in random bases of the space that they span, side by side:
// the weights of principal axes of deviation 1 in directions of variance 1, in the columns of a
// matrix. The bases that are asked for first are kept.
type turned struct {
	once      sync.Once
	draws     int
	seed      uint64
	rotations [][]float32
	weights   []float32

	like *turned // of the same units at other observations, which has the rotations; may be nil
}

func (t *turned) of(threads, draws int, seed uint64, a *axes) (weights []float32) {
	t.once.Do(func() {
		if l := t.like; l != nil && l.draws == draws && l.seed == seed {
			t.rotations = l.rotations
		} else {
			t.rotations = rotations(threads, draws, seed, a.n)
		}
		t.draws, t.seed = draws, seed
		t.weights = a.inBases(threads, t.rotations)
	})
	if t.draws != draws || t.seed != seed {
		return a.inBases(threads, rotations(threads, draws, seed, a.n))
	}
	return t.weights
}

// rotations returns those of order n that [Pair.RotationNull] draws.
func rotations(threads, draws int, seed uint64, n int) [][]float32 {
	all := make([][]float32, draws)
	par.For(threads, draws, func(d int) {
		all[d] = singles(Rotation(n, rand.New(rand.NewPCG(seed, uint64(d)))).RawMatrix().Data)
	})
	return all
}

// inBases returns the weights, held x draws n, of rotations of the units.
func (a *axes) inBases(threads int, rotations [][]float32) []float32 {
	n, width := a.n, len(rotations)*a.n
	weights := make([]float32, a.held*width)
	axes := level3.Rows{Data: singles(a.rows), Stride: n}
	for d, rotation := range rotations {
		level3.Gemm(threads, level3.Product{M: a.held, N: n, K: n, A: axes, B: level3.Cols{Data: rotation, Stride: n}, C: weights[d*n:], LDC: width})
	}
	unitVariance(weights, a.deviations(), width)
	return weights
}
