package finding

import (
	"context"
	"math"

	"github.com/convergent-go/convergent/corr"
)

// ownFigures are what is found of the moments of each two networks, with what it is without each
// group of images.
type ownFigures struct {
	measures []pairFigure // as [allMeasures]
	indices  []pairFigure // as [bases]; nil if there are none to turn
}

// figures finds all of that, since the moments without a group, and the factorisations that they
// are asked for, take long.
func (l *layer) figures(ctx context.Context) error {
	turnable := hasBases(l.Moments)
	first := make([][]float64, len(l.result.Pairs)) // measures of all images, which come first
	all, err := l.perPair(ctx, l.Moments, l.Layer.Groups, func(k int, c *corr.Pair) ([]float64, error) {
		of := first[k]
		values, err := measureValues(ctx, c, l.result.Pairs[k].Bipartite.Mean, func(i int, name string) bool {
			// Without a group of images, what an interval is made from.
			return of == nil || measureIntervals[name] != noInterval && !math.IsNaN(of[i])
		})
		if of == nil {
			first[k] = values
		}
		if err != nil || !turnable {
			return values, err
		}
		indices, err := l.indices(ctx, k, c, bases[:])
		return append(values, indices...), err
	})
	if err != nil {
		return err
	}
	measures := len(allMeasures())
	l.own = ownFigures{all[:measures], all[measures:]}
	l.own.measures[measures-1] = l.matched()
	return nil
}

// matched is the mean correlation of matched units, of any number of units for any number of
// images, without each group of images by the same matching.
func (l *layer) matched() pairFigure {
	f := make(pairFigure, len(l.result.Pairs))
	for k, p := range l.result.Pairs {
		f[k].Value = p.Bipartite.Mean
		if l.Layer.Groups == nil || l.Analysis.Groups == 1 {
			continue
		}
		var unitsA, unitsB []int
		for unit, partner := range p.Bipartite.Partner {
			if partner >= 0 {
				unitsA, unitsB = append(unitsA, unit), append(unitsB, partner)
			}
		}
		j := l.Layer.Groups.JackknifeMatched(p.A, p.B, unitsA, unitsB)
		for i := range j.Without { // whose sums round otherwise than moments
			j.Without[i] += p.Bipartite.Mean - j.Value
		}
		j.Value = p.Bipartite.Mean
		f[k] = j
	}
	return f
}

// matched is the mean correlation of matched units, the last of the measures.
func (f ownFigures) matched() pairFigure { return f.measures[len(f.measures)-1] }
