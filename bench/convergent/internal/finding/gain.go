package finding

import (
	"context"
	"errors"
	"slices"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
)

// pairFigure is a figure of each pair of networks, with what it is without each group of
// images if there are images enough.
type pairFigure []corr.Jackknife

// perPair returns figures of each pair of networks, of moments and the groups of images that
// they are the sum of. Figures must be safe to compute side by side.
func (l *layer) perPair(ctx context.Context, m *corr.Moments, g *corr.Groups, figures func(k int, c *corr.Pair) ([]float64, error)) ([]pairFigure, error) {
	var all []pairFigure
	for k := range l.result.Pairs {
		own, err := l.jackknifeOf(ctx, m, g, &l.result.Pairs[k], func(c *corr.Pair) ([]float64, error) { return figures(k, c) })
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = make([]pairFigure, len(own))
		}
		for i, j := range own {
			all[i] = append(all[i], j)
		}
	}
	return all, nil
}

// jackknifeOf returns figures of a pair of networks with what they are without each group of
// images; without groups of images, or with too few, figures alone.
func (l *layer) jackknifeOf(ctx context.Context, m *corr.Moments, g *corr.Groups, p *results.Pair, figures func(c *corr.Pair) ([]float64, error)) ([]corr.Jackknife, error) {
	if g != nil && l.Analysis.Groups != 1 {
		all, err := g.Jackknife(ctx, p.A, p.B, figures)
		if !errors.Is(err, corr.ErrTooFewObservations) {
			return all, err
		}
	}
	values, err := figures(pairOf(m, p))
	all := make([]corr.Jackknife, len(values))
	for i, v := range values {
		all[i].Value = v
	}
	return all, err
}

// less is the figure less another of the same pairs.
func (f pairFigure) less(other pairFigure) pairFigure {
	d := make(pairFigure, len(f))
	for k := range f {
		d[k] = corr.Jackknife{Value: f[k].Value - other[k].Value}
		if !slices.Equal(f[k].Rows, other[k].Rows) {
			continue
		}
		d[k].Rows = f[k].Rows
		for g, v := range f[k].Without {
			d[k].Without = append(d[k].Without, v-other[k].Without[g])
		}
	}
	return d
}

// images is the mean over pairs, and without each group of images.
func (f pairFigure) images() corr.Jackknife {
	j := corr.Jackknife{Without: make([]float64, len(f[0].Without)), Rows: f[0].Rows}
	share := 1 / float64(len(f))
	for _, own := range f {
		j.Value += float64(share * own.Value)
		for g, v := range own.Without {
			j.Without[g] += float64(share * v)
		}
	}
	return j
}

// networks is the mean over pairs, and over those without each network, if there are three
// or more networks. Pairs share networks: each leaves with all of its pairs.
func (f pairFigure) networks(pairs []results.Pair) corr.Jackknife {
	networks := 0
	for _, p := range pairs {
		networks = max(networks, p.B+1)
	}
	j := corr.Jackknife{Value: f.images().Value}
	if networks < 3 {
		return j
	}
	for out := range networks {
		var rest []float64
		for k, p := range pairs {
			if p.A != out && p.B != out {
				rest = append(rest, f[k].Value)
			}
		}
		j.Without, j.Rows = append(j.Without, mean(rest)), append(j.Rows, 1)
	}
	return j
}

// measure is the mean over pairs with its intervals.
func (f pairFigure) measure(pairs []results.Pair) results.Measure {
	m := measure(f.images(), plainInterval)
	m.Networks = results.NewInterval(f.networks(pairs).Interval(confidence))
	return m
}
