package corr

import (
	"context"
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
// distributed code. What is rotated is summed in float32, and errs by some 1e-7. The
// context's error ends it early.
//
// It takes p q^2 multiply-adds a draw for p units of a and q of b, and k q^2, for the k dimensions
// that b's units span, and q^3 for each rotation, which the next call with the same draws and
// seed saves.
func (c *Pair) Excess(ctx context.Context, draws int, seed uint64) (float64, error) {
	observed, err := c.MeanMaxCorrelation()
	if err != nil {
		return observed, err
	}
	return c.beyondRotated(ctx, observed, draws, seed)
}

// excessOfB returns Excess with a and b exchanged.
func (c *Pair) excessOfB(draws int, seed uint64) (float64, error) {
	observed, err := c.meanMaxOfB()
	if err != nil {
		return observed, err
	}
	return c.reversed().beyondRotated(context.Background(), observed, draws, seed)
}

// beyondRotated returns what MeanMaxCorrelation is less its mean over rotations of b's units.
func (c *Pair) beyondRotated(ctx context.Context, observed float64, draws int, seed uint64) (float64, error) {
	if draws < 1 {
		return math.NaN(), errors.New("corr: a null needs at least one draw")
	}
	threads, width := par.Threads(c.Threads), draws*c.q
	weights, err := c.turnedB.of(ctx, threads, draws, seed, c.axesB(), diagonal(c.bb, c.q))
	if err != nil {
		return math.NaN(), err
	}
	between, r := level3.Scratch(c.p*c.q), level3.Scratch(c.p*width)
	defer level3.Release(between)
	defer level3.Release(r)
	for i, v := range c.standardBetween() {
		(*between)[i] = float32(max(-1, min(1, v)))
	}
	level3.Gemm(threads, level3.Product{M: c.p, N: width, K: c.q, A: level3.Rows{Data: *between, Stride: c.q}, B: level3.Cols{Data: weights, Stride: width}, C: *r, LDC: width})
	var sum float64
	for drawn := *r; len(drawn) > 0; drawn = drawn[c.q:] {
		sum += float64(vec.Largest(drawn[:c.q]))
	}
	return observed - sum/float64(draws)/float64(c.p), nil
}

// turned is a network's units in random bases of the space that they span, side by side: the
// weights of units of variance 1 in directions of variance 1, in the columns of a matrix. The
// bases that are asked for first are kept.
type turned struct {
	mu        sync.Mutex
	draws     int
	seed      uint64
	rotations [][]float32
	weights   []float32

	like *turned // of the same units at other observations, which has the rotations; may be nil
}

// of returns the weights, n x draws n, of n units of the given axes and variances.
func (t *turned) of(ctx context.Context, threads, draws int, seed uint64, a *axes, variances []float64) (weights []float32, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.weights != nil && (t.draws != draws || t.seed != seed) {
		all, err := rotations(ctx, threads, draws, seed, a.n)
		if err != nil {
			return nil, err
		}
		return a.inBases(threads, variances, all), nil
	}
	if t.weights == nil {
		if l := t.like; l != nil && l.draws == draws && l.seed == seed {
			t.rotations = l.rotations
		} else if t.rotations, err = rotations(ctx, threads, draws, seed, a.n); err != nil {
			return nil, err
		}
		t.draws, t.seed = draws, seed
		t.weights = a.inBases(threads, variances, t.rotations)
	}
	return t.weights, nil
}

// rotations returns those of order n that [Pair.RotationNull] draws.
func rotations(ctx context.Context, threads, draws int, seed uint64, n int) ([][]float32, error) {
	all := make([][]float32, draws)
	par.For(threads, draws, func(d int) {
		if ctx.Err() == nil {
			all[d] = singles(Rotation(n, rand.New(rand.NewPCG(seed, uint64(d)))).RawMatrix().Data)
		}
	})
	return all, ctx.Err()
}

// inBases returns the weights of rotations of the units, which have the given variances.
func (a *axes) inBases(threads int, variances []float64, rotations [][]float32) []float32 {
	n, width := a.n, len(rotations)*a.n
	weights, scales := make([]float32, n*width), make([]float64, n)
	axes, inAxes := level3.Rows{Data: singles(a.rows), Stride: n}, level3.Scratch(a.held*n)
	defer level3.Release(inAxes)
	for d, rotation := range rotations {
		level3.Gemm(threads, level3.Product{M: a.held, N: n, K: n, A: axes, B: level3.Cols{Data: rotation, Stride: n}, C: *inAxes, LDC: n})
		inverseDeviations(scales, *inAxes, a.deviations())
		for i, v := range variances {
			deviation, row := math.Sqrt(v), weights[i*width+d*n:][:n]
			for j, s := range scales {
				row[j] = float32(float64(rotation[i*n+j]) * deviation * s)
			}
		}
	}
	return weights
}
