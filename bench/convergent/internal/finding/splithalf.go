package finding

import (
	"context"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/match"
)

// splitHalf is the mean correlation, on one half of the images, of units that were matched on
// the other: that a partner is the best of many on the images that it was chosen by says
// nothing of others. Nil if no images can be held out.
func (l *layer) splitHalf(ctx context.Context) (*results.Measure, error) {
	groups := l.Layer.Groups
	if groups == nil || groups.Len() < 2 {
		return nil, nil
	}
	values, err := l.splitHalfWithout(ctx, -1)
	if err != nil {
		return nil, err
	}
	f := newPairFigure(values)
	for g := range groups.Len() {
		if groups.Len() < leastGroups || l.Analysis.Groups == 1 || groups.Group(g).Count() == 0 {
			continue
		}
		without, err := l.splitHalfWithout(ctx, g)
		if err != nil {
			return nil, err
		}
		for k := range f {
			f[k].Without, f[k].Rows = append(f[k].Without, without[k]), append(f[k].Rows, float64(groups.Group(g).Count()))
		}
	}
	m := f.measure(plainInterval)
	return &m, nil
}

// splitHalfWithout is the same of each pair of networks and of all groups of images but one, in
// means of both directions.
func (l *layer) splitHalfWithout(ctx context.Context, but int) ([]float64, error) {
	var folds [2]*corr.Moments
	for k := range folds {
		var members []int
		for g, fold := range l.Folds {
			if fold == k && g != but {
				members = append(members, g)
			}
		}
		folds[k] = l.Layer.Groups.Sum(members...)
	}
	values := make([]float64, len(l.result.Pairs))
	err := l.each(ctx, len(values), func(k int) error {
		p := l.result.Pairs[k]
		for i, fit := range folds {
			live := func(m *corr.Moments) *corr.Pair {
				c := m.PairOf(p.A, p.B, l.Moments.Live(p.A), l.Moments.Live(p.B))
				c.Threads = 1
				return c
			}
			m, err := match.Bipartite(live(fit).Correlation())
			if err != nil {
				return err
			}
			other := live(folds[1-i]).Correlation()
			var r []float64
			for unit, partner := range m.Partner {
				if partner >= 0 {
					r = append(r, other.At(unit, partner))
				}
			}
			values[k] += mean(r) / 2
		}
		return nil
	})
	return values, err
}
