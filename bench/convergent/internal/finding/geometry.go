package finding

import (
	"context"
	"math"
	"slices"

	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
)

// Of the publications that figures may stand beside: mutual neighbours of cosines (Huh and
// others, "The Platonic representation hypothesis", ICML 2024), and a kernel in the middle
// of those that Kornblith and others took.
const (
	nearest     = 10
	kernelWidth = 0.4 // in medians of distances
)

// geometryMeasures compare two networks by inner products of images: of means of units, or
// of RBF kernels. Intervals are those that [TestGeometryIntervals] shows to cover.
var geometryMeasures = []struct {
	name     string
	kernel   bool
	interval intervalKind
	of       func(*corr.GramPair) (float64, error)
}{
	{"mutual_neighbours", false, noInterval, func(c *corr.GramPair) (float64, error) { return c.MutualNeighbours(nearest, corr.CosineDistance) }},
	{"rsa", false, noInterval, func(c *corr.GramPair) (float64, error) { return c.RSA(corr.EuclideanDistance) }},
	{"rbf_cka", true, noInterval, (*corr.GramPair).CKA},
	{"cka", false, correctedInterval, (*corr.GramPair).CKA},
	{"debiased_cka", false, plainInterval, (*corr.GramPair).DebiasedCKA},
}

// grams are the inner products of images of each network.
type grams struct {
	linear, kernels []*corr.Gram // nil where they are not defined
}

// newGrams returns those of the images at the given places; nil: of all, with kernels.
func newGrams(f *observe.Features, places []int, threads int) grams {
	var g grams
	for network := range f.Rows {
		linear := f.Gram(network, places, threads)
		var kernel *corr.Gram
		if linear != nil && places == nil {
			kernel, _ = linear.RBF(kernelWidth)
		}
		g.linear, g.kernels = append(g.linear, linear), append(g.kernels, kernel)
	}
	return g
}

// figures returns each measure of each pair of networks, NaN where it is not defined, or
// those with wanted intervals alone; network n sees the images in the order orders[n].
func (g grams) figures(pairs int, orders [][]int, threads int, wanted func(intervalKind) bool) [][]float64 {
	figures := make([][]float64, len(geometryMeasures))
	for i := range figures {
		figures[i] = slices.Repeat([]float64{math.NaN()}, pairs)
	}
	linear, kernels := gramPairs(g.linear, orders, threads), gramPairs(g.kernels, orders, threads)
	for k := range pairs {
		for i, m := range geometryMeasures {
			c := linear[k]
			if m.kernel {
				c = kernels[k]
			}
			if c == nil || wanted != nil && !wanted(m.interval) {
				continue
			}
			if v, err := m.of(c); err == nil {
				figures[i][k] = v
			}
		}
	}
	return figures
}

// gramPairs is the pairs of networks' inner products, of images in the networks' orders.
func gramPairs(g []*corr.Gram, orders [][]int, threads int) []*corr.GramPair {
	pairs, err := corr.NewGramPairs(g, orders)
	if err != nil {
		panic("finding: inner products of different images") // which were made from the same
	}
	for _, c := range pairs {
		if c != nil {
			c.Threads = threads
		}
	}
	return pairs
}

// geometry compares networks by which images are alike to each.
func (l *layer) geometry(ctx context.Context) error {
	if l.Features == nil || len(l.Features.Images) < 2 {
		return nil
	}
	pairs := len(l.result.Pairs)
	g := newGrams(l.Features, nil, l.Threads)
	values := g.figures(pairs, nil, l.Threads, nil)
	nulls := make([][][]float64, l.Shuffles)
	err := l.each(ctx, l.Shuffles, func(d int) error {
		nulls[d] = g.figures(pairs, l.Features.Exchange(random(l.Seed, geometryExchange, d)), 1, nil)
		return nil
	})
	if err != nil {
		return err
	}
	without, rows, err := l.geometryWithout(ctx)
	if err != nil {
		return err
	}
	r := &results.Geometry{Images: len(l.Features.Images)}
	for i, m := range geometryMeasures {
		// figure is one of a pair, or of their mean, which the same is of draws and groups.
		figure := func(of func(values []float64) float64) results.Measure {
			j := corr.Jackknife{Value: of(values[i]), Rows: rows}
			for _, v := range without {
				j.Without = append(j.Without, of(v[i]))
			}
			var chance corr.Null
			for _, v := range nulls {
				chance.Draws = append(chance.Draws, of(v[i]))
			}
			kind := noInterval
			if l.geometryInterval(m.interval) {
				kind = m.interval
			}
			f := measure(j, kind)
			calibrate(&f, corr.Measure{Name: m.name}, j.Value, chance)
			return f
		}
		all := results.GeometryMeasure{Name: m.name, Mean: figure(mean)}
		all.Mean.Networks = within(newPairFigure(values[i]).overNetworks(nil), -1, 1)
		for k := range pairs {
			all.Pairs = append(all.Pairs, figure(func(values []float64) float64 { return values[k] }))
		}
		r.Measures = append(r.Measures, all)
	}
	l.result.Geometry = r
	return nil
}

// geometryInterval says whether there are images enough for a kind of interval.
func (l *layer) geometryInterval(kind intervalKind) bool {
	return kind == plainInterval || kind == correctedInterval && l.manyImages(len(l.Features.Images))
}

// geometryWithout returns the same figures without each group of images, and how many
// images are in each; nothing, if there are too few groups.
func (l *layer) geometryWithout(ctx context.Context) (figures [][][]float64, rows []float64, err error) {
	if l.Layer.Groups == nil || l.Layer.Groups.Len() < leastGroups || l.Analysis.Groups == 1 {
		return nil, nil, nil
	}
	f := l.Features
	places := make([][]int, l.Layer.Groups.Len()) // of the images of each group
	for at, image := range f.Images {
		group := l.ImageGroups()[image]
		places[group] = append(places[group], at)
	}
	for _, of := range places {
		if len(of) == 0 {
			return nil, nil, nil
		}
		rows = append(rows, float64(len(of)))
	}
	figures = make([][][]float64, len(places))
	err = l.each(ctx, len(places), func(g int) error {
		var others []int
		for k, of := range places {
			if k != g {
				others = append(others, of...)
			}
		}
		figures[g] = newGrams(f, others, 1).figures(len(l.result.Pairs), nil, 1, l.geometryInterval)
		return nil
	})
	return figures, rows, err
}
