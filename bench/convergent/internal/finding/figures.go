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
		r, err := matchedR(c)
		if err != nil {
			return nil, err
		}
		of := first[k]
		values, err := measureValues(ctx, c, mean(r), func(i int, name string) bool {
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
	return nil
}

// matched is the mean correlation of matched units, the last of the measures.
func (f ownFigures) matched() pairFigure { return f.measures[len(f.measures)-1] }
