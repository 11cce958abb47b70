package finding

import "context"

// splitHalf is the mean correlation, on one half of the images, of units that were matched on
// the other, for each pair of networks in the mean of both directions: that a partner is the
// best of many on the images that it was chosen by says nothing of others. Nil if no images
// can be held out.
func (l *layer) splitHalf(ctx context.Context) ([]float64, error) {
	if l.images == nil {
		return nil, nil
	}
	values := make([]float64, len(l.result.Pairs))
	return values, l.each(ctx, len(values), func(k int) error {
		p := &l.result.Pairs[k]
		for i, fit := range l.images.folds {
			r, err := heldOutMatched(pairIn(fit, l.Moments, p), pairIn(l.images.folds[1-i], l.Moments, p))
			if err != nil {
				return err
			}
			values[k] += float64(r / 2)
		}
		return nil
	})
}
