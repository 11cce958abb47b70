package study

import (
	"context"
	"errors"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/match"
)

// findings is the test of the paper's claims at one layer.
type findings struct {
	*observed
	threads   int
	draws     int // of nulls
	resamples int // of images
	lambdas   []float64

	moments  *corr.Moments
	before   *corr.Moments   // of untrained networks
	shuffled []*corr.Moments // of shuffled images
	layer    *Layer
}

// claims are the tests, in order.
func (f *findings) claims() []func(context.Context) error {
	return []func(context.Context) error{f.convergence, f.subspaces, f.basis, f.activity, f.descent}
}

// eachPair calls fn for each pair of networks, side by side.
func (f *findings) eachPair(fn func(k int, p *Pair) error) error {
	errs := make([]error, len(f.layer.Pairs))
	par.For(par.Threads(f.threads), len(errs), func(k int) { errs[k] = fn(k, &f.layer.Pairs[k]) })
	return errors.Join(errs...)
}

// pairOf returns the moments of two networks' live units, for work on one thread.
func pairOf(m *corr.Moments, p *Pair) *corr.Pair {
	c := m.Pair(p.A, p.B)
	c.Threads = 1
	return c
}

// random is a source for one draw of one purpose.
func (f *findings) random(draw int) *rand.Rand { return rand.New(rand.NewPCG(f.seed, uint64(draw))) }

// matched returns the correlations of the one-to-one matching.
func matched(c *corr.Pair) ([]float64, error) { return matchedIn(c.Correlation()) }

func matchedIn(r *mat.Dense) ([]float64, error) {
	m, err := match.Bipartite(r)
	if err != nil {
		return nil, err
	}
	var found []float64
	for i, partner := range m.Partner {
		if partner >= 0 {
			found = append(found, m.R[i])
		}
	}
	return found, nil
}

// intervals returns figures of each pair of networks in means over pairs, with intervals
// over resampled images if there are images enough. Figures must be safe to compute side
// by side.
func (f *findings) intervals(ctx context.Context, figures func(k int, c *corr.Pair) ([]float64, error)) ([]Measure, error) {
	var means []corr.Interval
	for k, p := range f.layer.Pairs {
		of := func(c *corr.Pair) ([]float64, error) { return figures(k, c) }
		found, err := f.groups.Bootstrap(ctx, corr.BootstrapOptions{Draws: f.resamples, Seed: f.seed}, p.A, p.B, of)
		if errors.Is(err, corr.ErrTooFew) {
			var values []float64
			if values, err = of(pairOf(f.moments, &p)); err != nil {
				return nil, err
			}
			found = make([]corr.Interval, len(values))
			for i, v := range values {
				found[i].Value = v
			}
		}
		if err != nil {
			return nil, err
		}
		if means == nil {
			means = make([]corr.Interval, len(found))
		}
		share := 1 / float64(len(f.layer.Pairs))
		for i, one := range found {
			means[i].Value += share * one.Value
			if means[i].Draws == nil {
				means[i].Draws = make([]float64, len(one.Draws))
			}
			for d, v := range one.Draws {
				means[i].Draws[d] += share * v
			}
		}
	}
	measures := make([]Measure, len(means))
	for i, m := range means {
		measures[i] = measured(m.Value, m.Draws)
	}
	return measures, nil
}

// measured is a figure with the interval of 1.96 standard errors, which its draws give. (The
// draws' percentiles are no better: a share above a limit, say, is biased in resamples.)
func measured(value float64, draws []float64) Measure {
	m := Measure{Value: Finite(value)}
	if len(draws) > 1 {
		half := 1.96 * corr.Null{Draws: draws}.Std()
		m.Low, m.High = Finite(value-half), Finite(value+half)
	}
	return m
}

// percentiles of values, 0 to 100.
func percentiles(values []float64) []float64 {
	shares := make([]float64, 101)
	for i := range shares {
		shares[i] = float64(i) / 100
	}
	return corr.Null{Draws: values}.Quantiles(shares...)
}

// shareAbove is how many of the values are above a limit.
func shareAbove(values []float64, limit float64) float64 {
	n := 0
	for _, v := range values {
		if v > limit {
			n++
		}
	}
	return float64(n) / float64(len(values))
}
