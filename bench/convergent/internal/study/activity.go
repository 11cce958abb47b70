package study

import (
	"context"
	"math"
	"slices"

	"github.com/convergent-go/convergent/corr"
)

// deals is how often the units of two networks are dealt out at random.
const deals = 200

// activity tests claim 4.
func (f *findings) activity(ctx context.Context) error {
	a := new(Activity)
	var groups [][][]float64 // means by group, network and unit
	var counts []float64
	for i := range f.groups.Len() {
		g := closed(f.groups.Group(i))
		groups = append(groups, meansOf(g))
		counts = append(counts, float64(g.Count()))
	}
	nets := len(f.layer.Units)
	overall := func(means [][]float64) (total float64) {
		for _, p := range f.layer.Pairs {
			total += apart(means[p.A], means[p.B]) / float64(len(f.layer.Pairs))
		}
		return total
	}
	means := meansOf(f.moments)
	var draws []float64
	for d := 0; len(groups) >= minGroups && d < f.resamples; d++ {
		times := resample(f.random(d), len(groups))
		of := make([][]float64, nets)
		for n := range of {
			of[n] = make([]float64, f.layer.Units[n])
			rows := 0.0
			for g, t := range times {
				rows += t * counts[g]
			}
			for g, t := range times {
				for u, m := range groups[g][n] {
					of[n][u] += t * counts[g] / rows * m
				}
			}
		}
		draws = append(draws, overall(of))
	}
	a.Distance = measured(overall(means), draws)
	null := corr.Null{Draws: make([]float64, deals)}
	for d := range null.Draws {
		if err := ctx.Err(); err != nil {
			return err
		}
		rnd := f.random(d)
		for _, p := range f.layer.Pairs {
			both := slices.Concat(means[p.A], means[p.B])
			rnd.Shuffle(len(both), func(i, j int) { both[i], both[j] = both[j], both[i] })
			null.Draws[d] += apart(both[:len(means[p.A])], both[len(means[p.A]):]) / float64(len(f.layer.Pairs))
		}
	}
	a.Distance.Null, a.Distance.P = Finite(null.Mean()), Finite(null.PValue(*a.Distance.Value))
	for n, before := range meansOf(f.before) {
		a.Untrained += apart(means[n], before) / float64(nets)
		least, most := math.Inf(1), 0.0
		for _, m := range means[n] {
			if m > 0 {
				least, most = min(least, m), max(most, m)
			}
		}
		if most > 0 {
			a.Decades += math.Log10(most/least) / float64(nets)
		}
	}
	f.layer.Activity = a
	return nil
}

func meansOf(m *corr.Moments) [][]float64 {
	var means [][]float64
	for a := range m.Networks() {
		means = append(means, m.Mean(a))
	}
	return means
}

// apart is the area between two sorted curves over the mean of those beneath them: the
// Wasserstein distance of the units' means in units of their mean. Curves of unequal
// numbers of units are stretched.
func apart(a, b []float64) float64 {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	area, at := 0.0, 0.0
	for i, j := 0, 0; i < len(a) && j < len(b); {
		endA, endB := float64(i+1)/float64(len(a)), float64(j+1)/float64(len(b))
		end := min(endA, endB)
		area += (end - at) * math.Abs(a[i]-b[j])
		at = end
		if endA <= endB {
			i++
		}
		if endB <= endA {
			j++
		}
	}
	return ratio(area, (mean(a)+mean(b))/2)
}
