package finding

import (
	"context"
	"math"
	"slices"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
)

// leastGroups is how many groups of images an interval needs.
const leastGroups = 10

// unitExchanges is how often the units of two networks are exchanged at random.
const unitExchanges = 200

// activity tests claim 4.
func (l *layer) activity(ctx context.Context) error {
	means := unitMeans(l.Moments)
	distances := l.curveDistances(l.Moments, l.Layer.Groups)
	a := &results.Activity{Distance: measure(distances.images(), plainInterval)}
	a.Distance.Images = within(a.Distance.Images, 0, 2)
	if s := distances.distanceSpread(); s != nil {
		a.Equivalence = s.equivalence()
		if s.logarithmic {
			a.Distance.Networks = within(s.interval(), 0, 2)
		}
	}
	null := corr.Null{Draws: make([]float64, unitExchanges)}
	err := l.each(ctx, unitExchanges, func(d int) error {
		rnd := random(l.Seed, unitExchange, d)
		for _, p := range l.result.Pairs {
			pooled := slices.Concat(means[p.A], means[p.B])
			rnd.Shuffle(len(pooled), func(i, j int) { pooled[i], pooled[j] = pooled[j], pooled[i] })
			null.Draws[d] += sortedDistance(pooled[:len(means[p.A])], pooled[len(means[p.A]):]) / float64(len(l.result.Pairs))
		}
		return nil
	})
	if err != nil {
		return err
	}
	a.Distance.Null, a.Distance.P = results.Finite(null.Mean()), results.Finite(null.PValue(*a.Distance.Value))
	if l.before != nil {
		distance := 0.0
		for n, before := range unitMeans(l.before) {
			distance += sortedDistance(means[n], before) / float64(len(means))
		}
		a.Untrained = results.Finite(distance)
		initial := l.curveDistances(l.before, l.Baseline)
		a.Initial = results.Finite(initial.images().Value)
		gain := distances.less(initial).measure(plainInterval)
		a.Gain = &gain
	}
	a.Decades = decades(means)
	l.result.Activity = a
	return nil
}

// curveDistances is the distance of each two networks, with what it is without each group of
// images.
func (l *layer) curveDistances(m *corr.Moments, groups *corr.Groups) pairFigure {
	means := unitMeans(m)
	f := make(pairFigure, len(l.result.Pairs))
	for k, p := range l.result.Pairs {
		f[k].Value = sortedDistance(means[p.A], means[p.B])
	}
	if groups == nil || l.Analysis.Groups == 1 || groups.Len() < leastGroups {
		return f
	}
	all := float64(m.Count())
	within := make([][][]float64, len(means)) // by network and group
	for n := range means {
		within[n] = groups.Means(n)
	}
	for i := range groups.Len() {
		rows := float64(groups.Rows(i))
		without := make([][]float64, len(means))
		for n, of := range within {
			without[n] = of[i]
			for u, m := range of[i] {
				of[i][u] = (float64(all*means[n][u]) - float64(rows*m)) / (all - rows)
			}
		}
		for k, p := range l.result.Pairs {
			f[k].Without, f[k].Rows = append(f[k].Without, sortedDistance(without[p.A], without[p.B])), append(f[k].Rows, rows)
		}
	}
	return f
}

// decades is the log10 of the most over the least active unit of those that are active at
// all, in means over networks; nil if in one none is.
func decades(means [][]float64) *float64 {
	total := 0.0
	for _, of := range means {
		smallest, largest := math.Inf(1), 0.0
		for _, m := range of {
			if m > 0 {
				smallest, largest = min(smallest, m), max(largest, m)
			}
		}
		total += math.Log10(largest/smallest) / float64(len(means))
	}
	return results.Finite(total)
}

func unitMeans(m *corr.Moments) [][]float64 {
	var means [][]float64
	for n := range m.Networks() {
		means = append(means, m.Mean(n))
	}
	return means
}

// sortedDistance is the area between two sorted curves over the mean of those beneath
// them: the Wasserstein distance of the units' means in units of their mean size. Curves
// of unequal numbers of units are stretched.
func sortedDistance(a, b []float64) float64 {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	area, at := 0.0, 0.0
	for i, j := 0, 0; i < len(a) && j < len(b); {
		endA, endB := float64(i+1)/float64(len(a)), float64(j+1)/float64(len(b))
		end := min(endA, endB)
		area += float64((end - at) * math.Abs(a[i]-b[j]))
		at = end
		if endA <= endB {
			i++
		}
		if endB <= endA {
			j++
		}
	}
	return ratio(area, (meanSize(a)+meanSize(b))/2)
}

// meanSize is the mean absolute value.
func meanSize(x []float64) float64 {
	var s float64
	for _, v := range x {
		s += math.Abs(v)
	}
	return s / float64(len(x))
}
