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
	if l.images != nil { // one image cannot be held out from itself
		if err := l.predictions(ctx, s); err != nil {
			return err
		}
	}
	if err := l.angles(ctx, s, l.images); err != nil {
		return err
	}
	for n := range l.Units {
		live := len(l.Moments.Live(n))
		if len(s.Predictions) > 0 {
			s.Predicted = append(s.Predicted, min(live, predictedUnits))
		}
		if s.Angles != nil {
			s.Clustered = append(s.Clustered, min(live, clusterUnits))
		}
	}
	l.result.Subspaces = s
	return nil
}

// leastSquares predicts from all units.
func leastSquares(ctx context.Context, xx, xy *mat.Dense) (prediction, error) {
	fits, err := match.Lasso(ctx, xx, xy, match.LassoOptions{Lambdas: []float64{0}, KeepWeights: true, Threads: 1})
	if err != nil {
		return prediction{}, err
	}
	return prediction{weights: fits[0].W}, nil
}

// predictionFits predicts from all units, from the first few on the LASSO's path, and from
// the best partner.
func predictionFits(ctx context.Context, xx, xy *mat.Dense) ([]prediction, error) {
	full, err := leastSquares(ctx, xx, xy)
	if err != nil {
		return nil, err
	}
	all := []prediction{full}
	fits, err := match.LassoSizes(ctx, xx, xy, termCounts, match.LassoOptions{KeepWeights: true, Threads: 1})
	if err != nil {
		return nil, err
	}
	for _, f := range fits {
		if f, err = f.Refit(ctx, xx, xy, nil); err != nil {
			return nil, err
		}
		all = append(all, sparse(f.W))
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
	return append(all, prediction{terms: best}), nil
}

// predictions says how well units are predicted on images held out.
func (l *layer) predictions(ctx context.Context, s *results.Subspaces) error {
	trained, err := l.crossFit(ctx, l.images, l.Moments, func(xx, xy *mat.Dense) ([]prediction, error) { return predictionFits(ctx, xx, xy) })
	if err != nil {
		return err
	}
	kinds := []results.Prediction{{Name: "full"}}
	for _, n := range termCounts {
		kinds = append(kinds, results.Prediction{Name: "lasso", Terms: n})
	}
	kinds = append(kinds, results.Prediction{Name: "best", Terms: 1})
	explained := make([]pairFigure, len(kinds)) // in means of both directions
	for i := range kinds {
		e := summarise(trained, i)
		kinds[i].R2 = results.Measure{Value: results.Finite(e.pooled)}
		kinds[i].Median, kinds[i].Clipped = results.Finite(e.median), results.Finite(e.clipped)
		for k := range l.result.Pairs {
			kinds[i].AB = append(kinds[i].AB, trained[2*k][i].pooled())
			kinds[i].BA = append(kinds[i].BA, trained[2*k+1][i].pooled())
		}
		explained[i] = bothWays(newPairFigure(kinds[i].AB), newPairFigure(kinds[i].BA))
		kinds[i].R2.Networks = explained[i].overNetworks(nil)
	}
	gain := explained[0].less(explained[len(kinds)-1]).measure(noInterval)
	s.Gain = &gain
	if err := l.untrainedR2(ctx, &kinds[0]); err != nil {
		return err
	}
	s.Predictions = kinds
	l.terms(s, trained)
	return nil
}

// crossFit predicts of each pair of networks B from A, and then A from B.
func (l *layer) crossFit(ctx context.Context, images *crossFit, live *corr.Moments, fit func(xx, xy *mat.Dense) ([]prediction, error)) ([][]residuals, error) {
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

// explained is what a kind of prediction explains, in means over pairs and directions: of the
// variance of all units, of the middle unit, and of a unit where anything is.
type explained struct{ pooled, median, clipped float64 }

func summarise(all [][]residuals, kind int) (e explained) {
	share := 1 / float64(len(all))
	for _, one := range all {
		r2 := one[kind].r2()
		e.pooled += float64(share * one[kind].pooled())
		e.median += float64(share * corr.Null{Draws: r2}.Quantiles(0.5)[0])
		for _, v := range r2 {
			e.clipped += share * max(0, v) / float64(len(r2))
		}
	}
	return e
}

// untrainedR2 sets what the full map explains between networks before training, if they
// are known.
func (l *layer) untrainedR2(ctx context.Context, full *results.Prediction) error {
	if l.imagesBefore == nil {
		return nil
	}
	untrained, err := l.crossFit(ctx, l.imagesBefore, l.before, func(xx, xy *mat.Dense) ([]prediction, error) {
		all, err := leastSquares(ctx, xx, xy)
		return []prediction{all}, err
	})
	if err != nil {
		return err
	}
	e := summarise(untrained, 0)
	full.R2.Null, full.UntrainedMedian, full.UntrainedClipped = results.Finite(e.pooled), results.Finite(e.median), results.Finite(e.clipped)
	return nil
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
