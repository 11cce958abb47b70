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
		own, err := l.jackknife(ctx, m, g, &l.result.Pairs[k], func(c *corr.Pair) ([]float64, error) { return figures(k, c) })
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

// jackknife returns figures of a pair of networks with what they are without each group of
// images; without groups of images, or with too few groups or images, figures alone.
func (l *layer) jackknife(ctx context.Context, m *corr.Moments, g *corr.Groups, p *results.Pair, figures func(c *corr.Pair) ([]float64, error)) ([]corr.Jackknife, error) {
	if g != nil && l.Analysis.Groups != 1 && l.manyImages(len(l.ImageGroups())) {
		l.steps.begin(1 + g.Len())
		all, err := g.Jackknife(ctx, p.A, p.B, func(c *corr.Pair) ([]float64, error) {
			defer l.steps.tick()
			return figures(c)
		})
		if !errors.Is(err, corr.ErrTooFewObservations) {
			return all, err
		}
	}
	c := pairOf(m, p)
	c.Threads = l.Threads
	values, err := figures(c)
	all := make([]corr.Jackknife, len(values))
	for i, v := range values {
		all[i].Value = v
	}
	return all, err
}

// imagesPerUnit is how many images there are for each unit of the wider network, or more, where
// figures have intervals over images. With fewer, small samples bias figures by more than a
// jackknife corrects ([TestIntervalsCover]), and many units make it slow.
const imagesPerUnit = 4

func (l *layer) manyImages(images int) bool { return images >= imagesPerUnit*slices.Max(l.Units) }

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

// bothWays is the mean of a figure's two directions.
func bothWays(there, back pairFigure) pairFigure {
	f := make(pairFigure, len(there))
	for k, j := range there {
		f[k] = corr.Jackknife{Value: (j.Value + back[k].Value) / 2, Rows: j.Rows}
		for g, v := range j.Without {
			f[k].Without = append(f[k].Without, (v+back[k].Without[g])/2)
		}
	}
	return f
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

// values are those of all images.
func (f pairFigure) values() []float64 {
	all := make([]float64, len(f))
	for k, j := range f {
		all[k] = j.Value
	}
	return all
}

// newPairFigure is a figure of which no more than its values is known.
func newPairFigure(values []float64) pairFigure {
	f := make(pairFigure, len(values))
	for k, v := range values {
		f[k].Value = v
	}
	return f
}

// networks is the mean over pairs, and over those without each network, if there are three
// or more networks.
func (f pairFigure) networks(weights []float64) corr.Jackknife {
	n := 2
	for n*(n-1)/2 < len(f) {
		n++
	}
	j := corr.JackknifePairs(n, f.values(), weights)
	if n < 3 {
		j.Without, j.Rows = nil, nil
	}
	return j
}

// overNetworks is an interval over networks made in the same way. It is nil of fewer than
// three networks, where a pair that has a weight has no figure, and where all pairs have
// the same, which says nothing of how others differ.
func (f pairFigure) overNetworks(weights []float64) *results.Interval {
	low, high := f.networks(weights).Interval(confidence)
	if low == high {
		return nil
	}
	return results.NewInterval(low, high)
}

// measure is the mean over pairs with its intervals, that over images of a kind.
func (f pairFigure) measure(kind intervalKind) results.Measure {
	m := measure(f.images(), kind)
	m.Networks = f.overNetworks(nil)
	return m
}

// within is what of an interval lies within the ends that a figure has.
func within(i *results.Interval, low, high float64) *results.Interval {
	if i == nil {
		return nil
	}
	return results.NewInterval(max(i.Low, low), min(i.High, high))
}
