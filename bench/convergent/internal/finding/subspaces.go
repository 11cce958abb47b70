package finding

import (
	"context"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/match"
)

// termCounts are how many units sparse predictions have.
var termCounts = []int{1, 2, 4, 8, 16}

// A unit is predicted if the full map explains so much of its variance on other images,
// and by few if these explain so large a part of that.
const (
	predictedR2   = 0.1
	nearlyAllOfR2 = 0.9
)

// subspaces tests claim 2.
func (l *layer) subspaces(ctx context.Context) error {
	s := &results.Subspaces{Predictions: []results.Prediction{}, TermCounts: []results.TermCount{}}
	if err := l.predictions(ctx, s); err != nil {
		return err
	}
	if err := l.angles(s); err != nil {
		return err
	}
	l.result.Subspaces = s
	return nil
}

// leastSquares predicts from all units.
func leastSquares(ctx context.Context, xx, xy *mat.Dense) ([][]term, error) {
	fits, err := match.Lasso(ctx, xx, xy, match.LassoOptions{Lambdas: []float64{0}, KeepWeights: true, Threads: 1})
	if err != nil {
		return nil, err
	}
	return columnTerms(fits[0].W), nil
}

// predictionFits predicts from all units, from the first few on the LASSO's path, and from
// the best partner.
func predictionFits(ctx context.Context, xx, xy *mat.Dense) ([][][]term, error) {
	full, err := leastSquares(ctx, xx, xy)
	if err != nil {
		return nil, err
	}
	all := [][][]term{full}
	sparse, err := match.LassoSizes(ctx, xx, xy, termCounts, match.LassoOptions{KeepWeights: true, Threads: 1})
	if err != nil {
		return nil, err
	}
	for _, s := range sparse {
		if s, err = s.Refit(xx, xy, nil); err != nil {
			return nil, err
		}
		all = append(all, columnTerms(s.W))
	}
	rows, cols := xy.Dims()
	best := make([][]term, cols)
	for j := range best {
		partner := term{0, math.Inf(-1)}
		for i := range rows {
			if r := xy.At(i, j); r > partner.w {
				partner = term{i, r}
			}
		}
		best[j] = []term{partner}
	}
	return append(all, best), nil
}

// predictions says how well units are predicted on images held out, if there are images.
func (l *layer) predictions(ctx context.Context, s *results.Subspaces) error {
	if l.Layer.Groups == nil || l.Layer.Groups.Len() < 2 {
		return nil // one image cannot be held out from itself
	}
	images := newCrossFit(l.Layer.Groups, l.Folds)
	trained, err := l.crossFit(ctx, images, l.Moments, func(xx, xy *mat.Dense) ([][][]term, error) { return predictionFits(ctx, xx, xy) })
	if err != nil {
		return err
	}
	kinds := []results.Prediction{{Name: "full"}}
	for _, n := range termCounts {
		kinds = append(kinds, results.Prediction{Name: "lasso", Terms: n})
	}
	kinds = append(kinds, results.Prediction{Name: "best", Terms: 1})
	for i := range kinds {
		var perPair []float64
		for k := range l.result.Pairs {
			kinds[i].AB = append(kinds[i].AB, mean(trained[2*k][i].r2()))
			kinds[i].BA = append(kinds[i].BA, mean(trained[2*k+1][i].r2()))
			perPair = append(perPair, (kinds[i].AB[k]+kinds[i].BA[k])/2)
		}
		kinds[i].R2 = meanR2(trained, i)
		kinds[i].R2.Networks = l.overNetworks(perPair, nil)
	}
	if kinds[0].R2.Null, err = l.untrainedR2(ctx); err != nil {
		return err
	}
	s.Predictions = kinds
	l.terms(s, trained)
	return nil
}

// crossFit predicts of each pair of networks B from A, and then A from B.
func (l *layer) crossFit(ctx context.Context, images *crossFit, live *corr.Moments, fit func(xx, xy *mat.Dense) ([][][]term, error)) ([][]residuals, error) {
	all := make([][]residuals, 2*len(l.result.Pairs))
	err := l.each(ctx, len(all), func(i int) (err error) {
		p := l.result.Pairs[i/2]
		a, b := p.A, p.B
		if i%2 == 1 {
			a, b = b, a
		}
		all[i], err = images.predict(live, a, b, fit)
		return err
	})
	return all, err
}

// meanR2 is the mean of a kind of prediction over units, pairs and directions.
func meanR2(all [][]residuals, kind int) results.Measure {
	total := 0.0
	for _, e := range all {
		total += mean(e[kind].r2()) / float64(len(all))
	}
	return results.Measure{Value: results.Finite(total)}
}

// untrainedR2 is that of the full map between networks before training; nil if they are
// not known.
func (l *layer) untrainedR2(ctx context.Context) (*float64, error) {
	if l.before == nil || l.Baseline.Len() < 2 {
		return nil, nil
	}
	halves := newCrossFit(l.Baseline, l.BaselineFolds)
	untrained, err := l.crossFit(ctx, halves, l.before, func(xx, xy *mat.Dense) ([][][]term, error) {
		full, err := leastSquares(ctx, xx, xy)
		return [][][]term{full}, err
	})
	if err != nil {
		return nil, err
	}
	return meanR2(untrained, 0).Value, nil
}

// terms counts the units that few others predict nearly as well as all do.
func (l *layer) terms(s *results.Subspaces, predictions [][]residuals) {
	counts := make([]float64, len(termCounts)+1)
	all, predicted := 0.0, 0.0
	for _, e := range predictions {
		sparse := make([][]float64, len(termCounts))
		for k := range termCounts {
			sparse[k] = e[1+k].r2()
		}
		for j, r2 := range e[0].r2() {
			all++
			if r2 < predictedR2 {
				continue
			}
			predicted++
			k := 0
			for k < len(termCounts) && sparse[k][j] < nearlyAllOfR2*r2 {
				k++
			}
			counts[k]++
		}
	}
	s.PredictedShare = results.Finite(predicted / all)
	for k, n := range counts {
		c := results.TermCount{Share: ratio(n, predicted)}
		if k < len(termCounts) {
			c.Terms = termCounts[k]
		}
		s.TermCounts = append(s.TermCounts, c)
	}
}
