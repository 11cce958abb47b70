package corr

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/par"
)

// Null is the distribution of a figure under a null hypothesis.
type Null struct {
	Draws []float64 // one figure for each draw, in the order of the draws
}

// Mean returns the mean of the draws.
func (n Null) Mean() float64 { return mean(n.Draws) }

// Std returns the standard deviation of the draws, dividing by one less than
// their number; 0 for a single draw.
func (n Null) Std() float64 {
	if len(n.Draws) < 2 {
		return 0
	}
	mean, s := n.Mean(), 0.0
	for _, d := range n.Draws {
		s += float64((d - mean) * (d - mean))
	}
	return math.Sqrt(s / float64(len(n.Draws)-1))
}

// Quantiles returns the quantile of the draws for each probability q, interpolated
// linearly between draws; NaN without draws, or if a draw is NaN.
func (n Null) Quantiles(q ...float64) []float64 {
	x := slices.Sorted(slices.Values(n.Draws))
	values := make([]float64, len(q))
	for k, probability := range q {
		if len(x) == 0 || math.IsNaN(x[0]) { // which is sorted before others
			values[k] = math.NaN()
			continue
		}
		position := float64(probability * float64(len(x)-1))
		i := min(int(position), len(x)-1)
		j := min(i+1, len(x)-1)
		values[k] = x[i] + float64((position-float64(i))*(x[j]-x[i]))
	}
	return values
}

// PValue returns (1 + the number of draws at or above the observed figure) / (1
// + the number of draws): counting the observation among the draws keeps the
// value from being 0 (Phipson and Smyth, 2010). It is NaN if that, or a draw, is.
func (n Null) PValue(observed float64) float64 {
	return n.tailProbability(observed, func(d float64) bool { return d >= observed })
}

// PValueLower returns the p-value of the lower tail, for distances, which are small where
// networks are alike: it counts draws at or below the observed figure.
func (n Null) PValueLower(observed float64) float64 {
	return n.tailProbability(observed, func(d float64) bool { return d <= observed })
}

// tailProbability returns the p-value of the tail of extreme draws.
func (n Null) tailProbability(observed float64, extreme func(float64) bool) float64 {
	if math.IsNaN(observed) || slices.ContainsFunc(n.Draws, math.IsNaN) {
		return math.NaN()
	}
	count := 1
	for _, d := range n.Draws {
		if extreme(d) {
			count++
		}
	}
	return float64(count) / float64(1+len(n.Draws))
}

// draw returns the null of f, with a generator of the seed and its number for each draw.
func draw(ctx context.Context, threads, draws int, seed uint64, f func(rnd *rand.Rand) float64) (Null, error) {
	if draws < 1 {
		return Null{}, errors.New("corr: a null needs at least one draw")
	}
	null := Null{Draws: make([]float64, draws)}
	par.For(par.Threads(threads), draws, func(i int) {
		if ctx.Err() == nil {
			null.Draws[i] = f(rand.New(rand.NewPCG(seed, uint64(i))))
		}
	})
	return null, ctx.Err()
}

// RotationNull returns the null distribution of [Pair.MeanMaxCorrelation] for a fully
// distributed code: if features are directions of the space that the units span, and
// single units mean nothing, then units that are a random rotation of b's match those of
// a as well as b's own do.
//
// Each draw rotates the centred activations of b's live units by an orthogonal
// matrix Q from the Haar measure, which the moments allow without a second pass
// (S_ab Q for the covariances, diag Q^T S_bb Q for the variances), and takes the
// mean over a's live units of the largest correlation with a rotated one. Draw i
// depends on the seed and i alone. Fewer than one draw, or a network without live units,
// is an error.
func (m *Moments) RotationNull(ctx context.Context, a, b, draws int, seed uint64) (Null, error) {
	c := m.Pair(a, b)
	c.Threads = m.Threads
	return c.RotationNull(ctx, draws, seed)
}

// RotationNull returns the null distribution that [Moments.RotationNull] documents.
func (c *Pair) RotationNull(ctx context.Context, draws int, seed uint64) (Null, error) {
	if c.p == 0 || c.q == 0 {
		return Null{}, fmt.Errorf("corr: %w: a network without live units cannot be rotated", ErrNoLiveUnits)
	}
	// Rows to rotate: the covariances of a's units, scaled to variance 1, and a root
	// R of S_bb = R^T R.
	p, q := c.p, c.q
	axes := c.axesB()
	rank := axes.held
	rows := make([]float64, (p+rank)*q)
	for i := range p {
		if s := math.Sqrt(c.aa[i*(p+1)]); s > 0 {
			for j := range q {
				rows[i*q+j] = c.ab[i*q+j] / s
			}
		}
	}
	for k := range rank {
		s := math.Sqrt(max(0, axes.variances[k]))
		for j := range q {
			rows[(p+k)*q+j] = s * axes.rows[k*q+j]
		}
	}
	return draw(ctx, c.Threads, draws, seed, func(rnd *rand.Rand) float64 {
		z := append([]float64(nil), rows...)
		dense.Rotate(rnd, p+rank, q, z)
		variances := make([]float64, q)
		for k := p; k < p+rank; k++ {
			for j, v := range z[k*q:][:q] {
				variances[j] += float64(v * v)
			}
		}
		var sum float64
		for i := range p {
			largest := math.Inf(-1)
			for j, v := range z[i*q:][:q] {
				largest = max(largest, v/math.Sqrt(variances[j]))
			}
			sum += largest
		}
		return sum / float64(p)
	})
}

// PermutationNull returns the null distribution of the mean correlation of matched units:
// each draw pairs the units of the smaller network with different ones of the other at
// random. Fewer than one draw, or a network without units, is an error.
func (c *Pair) PermutationNull(ctx context.Context, draws int, seed uint64) (Null, error) {
	if c.p == 0 || c.q == 0 {
		return Null{}, fmt.Errorf("corr: %w: there is no pair of units", ErrNoLiveUnits)
	}
	r := c.Correlation()
	return draw(ctx, c.Threads, draws, seed, func(rnd *rand.Rand) float64 {
		rows, cols := rnd.Perm(c.p), rnd.Perm(c.q)
		n := min(c.p, c.q)
		var sum float64
		for i := range n {
			sum += r.At(rows[i], cols[i])
		}
		return sum / float64(n)
	})
}

// CompareToNull returns a measure of networks a and b, and its null distribution over
// moments in which chance alone makes networks alike: those of untrained networks, say,
// or of [Shuffles]. Null moments of other samples are an error.
func (m *Moments) CompareToNull(nullMoments []*Moments, a, b int, measure func(*Pair) (float64, error)) (observed float64, null Null, err error) {
	if observed, err = measure(m.Pair(a, b)); err != nil {
		return observed, null, err
	}
	for i, o := range nullMoments {
		if err := m.SameSamples(o); err != nil {
			return observed, null, fmt.Errorf("moments %d: %w", i, err)
		}
		d, err := measure(o.Pair(a, b))
		if err != nil {
			return observed, null, fmt.Errorf("moments %d: %w", i, err)
		}
		null.Draws = append(null.Draws, d)
	}
	return observed, null, nil
}
