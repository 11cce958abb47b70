package finding

import (
	"context"

	"github.com/convergent-go/convergent/corr"
)

// splitHalf is the mean correlation, on one half of the images, of units that were matched on
// the other, for each pair of networks in the mean of both directions: that a partner is the
// best of many on the images that it was chosen by says nothing of others. Nil if no images
// can be held out.
func (l *layer) splitHalf(ctx context.Context) ([]float64, error) {
	if l.Layer.Groups == nil || l.Layer.Groups.Len() < 2 {
		return nil, nil
	}
	folds := newCrossFit(l.Layer.Groups, l.Folds).folds
	values := make([]float64, len(l.result.Pairs))
	return values, l.each(ctx, len(values), func(k int) error {
		p := l.result.Pairs[k]
		live := func(m *corr.Moments) *corr.Pair {
			c := m.PairOf(p.A, p.B, l.Moments.Live(p.A), l.Moments.Live(p.B))
			c.Threads = 1
			return c
		}
		for i, fit := range folds {
			r, err := heldOutMatched(live(fit), live(folds[1-i]))
			if err != nil {
				return err
			}
			values[k] += r / 2
		}
		return nil
	})
}
