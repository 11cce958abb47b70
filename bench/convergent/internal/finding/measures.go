package finding

import (
	"context"
	"math"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
)

// allMeasures are those of package corr, and the mean correlation of the one-to-one
// matching, of which measureValues has the values.
func allMeasures() []corr.Measure {
	return append(corr.Measures(), corr.Measure{Name: "matched", Symmetric: true})
}

// measureIntervals are the kinds of intervals that measures have: corrected ones of smooth
// functions of covariances, whose bias falls with the number of images; plain ones of those of a
// matching and of singular values, whose bias does not where networks have little in common.
// Measures that are not here have none: best partners of many units and canonical
// correlations, and SVCCA and PWCCA, where how many directions are weighed jumps.
// Cross-validated ones have none either: fits without a group of images share the others, and
// their figures are those of fits to half as many images as there are.
var measureIntervals = map[string]intervalKind{
	"cka": correctedInterval, "rv": correctedInterval, "procrustes": plainInterval,
	"linear_ab": correctedInterval, "linear_ba": correctedInterval, "ridge_ab": correctedInterval, "ridge_ba": correctedInterval,
	"matched": plainInterval, "permutation": plainInterval, "excess_ab": plainInterval, "excess_ba": plainInterval,
}

// square are the measures that take the square of a layer's width in steps, or little more; the
// others take the cube.
var squareMeasures = map[string]bool{"best_ab": true, "best_ba": true, "cka": true, "rv": true, "permutation": true, "matched": true}

// measureValues returns the value of each measure that is wanted, NaN of others and where it is
// not defined, given the mean correlation of matched units.
func measureValues(ctx context.Context, c *corr.Pair, matched float64, wanted func(i int, name string) bool) ([]float64, error) {
	var values []float64
	for i, m := range corr.Measures() {
		v := math.NaN()
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if wanted(i, m.Name) {
			var err error
			if v, err = defined(m.Func(c)); err != nil {
				return nil, err
			}
		}
		values = append(values, v)
	}
	return append(values, matched), nil
}

// measures of each two networks and in means over these, with intervals and a null if there
// is what they are made from.
func (l *layer) measures(ctx context.Context) error {
	figures := l.own.measures
	for k := range l.result.Pairs {
		p := &l.result.Pairs[k]
		p.Measures = make(map[string]results.Measure)
		for i, m := range allMeasures() {
			p.Measures[m.Name] = measure(figures[i][k], measureIntervals[m.Name])
		}
	}
	l.result.Measures = make(map[string]results.Measure)
	for _, m := range undirectedMeasures() {
		l.result.Measures[m.name] = m.figure(figures).measure(m.interval)
	}
	if l.sampled != nil {
		l.measureNulls()
	}
	return l.crossValidated(ctx)
}
