package finding

import (
	"context"
	"slices"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
)

// splitHalf is the mean correlation, on one half of the images, of units that were matched on
// the other, for each pair of networks in the mean of both directions: that a partner is the
// best of many on the images that it was chosen by says nothing of others. Nil if no images
// can be held out.
func (l *layer) splitHalf(ctx context.Context) (pairFigure, error) {
	if l.images == nil {
		return nil, nil
	}
	all := make(pairFigure, len(l.result.Pairs))
	return all, l.each(ctx, len(all), func(k int) error {
		p := &l.result.Pairs[k]
		var halves [2]corr.Jackknife
		for i, fit := range l.images.folds {
			c := pairIn(fit, l.Moments, p)
			m, err := newMatching(c.Correlation(), c.UnitsA, c.UnitsB)
			if err != nil {
				return err
			}
			halves[i] = l.Layer.Groups.JackknifeMatched(p.A, p.B, m.a, m.b, l.images.members(1-i)...)
		}
		all[k] = joined(halves[0], halves[1])
		return nil
	})
}

// joined is the mean of figures of two halves of the images, each of which the groups of the
// other leave as it is.
func joined(x, y corr.Jackknife) corr.Jackknife {
	j := corr.Jackknife{Value: (x.Value + y.Value) / 2, Rows: slices.Concat(x.Rows, y.Rows)}
	for _, v := range x.Without {
		j.Without = append(j.Without, (v+y.Value)/2)
	}
	for _, v := range y.Without {
		j.Without = append(j.Without, (x.Value+v)/2)
	}
	return j
}

// matchedMeasure is a mean over matched pairs of units with its interval, if there are groups
// enough.
func (l *layer) matchedMeasure(f pairFigure) results.Measure {
	kind := plainInterval
	if l.Analysis.Groups == 1 || len(f[0].Without) < leastGroups {
		kind = noInterval
	}
	m := f.measure(kind)
	m.Networks, m.Images = within(m.Networks, -1, 1), within(m.Images, -1, 1)
	return m
}
