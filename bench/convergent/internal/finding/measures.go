package finding

import (
	"context"
	"errors"
	"math"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/match"
)

// allMeasures are those of package corr, and the mean correlation of the one-to-one
// matching.
func allMeasures() []corr.Measure {
	return append(corr.Measures(), corr.Measure{Name: "matched", Symmetric: true, Func: func(p *corr.Pair) (float64, error) {
		m, err := match.Bipartite(p.Correlation())
		return m.Mean, err
	}})
}

// measureIntervals are the kinds of intervals that measures have: corrected ones of smooth
// functions of covariances, plain ones of those of a matching. Measures that are not here
// have none: the best partners of many units and canonical correlations are biased by more
// than a jackknife corrects, and how many directions SVCCA and PWCCA weigh jumps.
var measureIntervals = map[string]intervalKind{
	"cka": correctedInterval, "rv": correctedInterval, "procrustes": correctedInterval,
	"linear_ab": correctedInterval, "linear_ba": correctedInterval, "ridge_ab": correctedInterval, "ridge_ba": correctedInterval,
	"matched": plainInterval, "permutation": plainInterval, "excess_ab": plainInterval, "excess_ba": plainInterval,
}

// measureValues returns the value of each measure, NaN where there are too few observations.
func measureValues(p *corr.Pair) ([]float64, error) {
	var values []float64
	for _, m := range allMeasures() {
		v, err := m.Func(p)
		if errors.Is(err, corr.ErrTooFewObservations) {
			v = math.NaN()
		} else if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}

// measures of each two networks, with intervals and a null if there is what they are made
// from.
func (l *layer) measures(ctx context.Context) error {
	perPair := make([][]corr.Jackknife, len(l.result.Pairs))
	for k := range l.result.Pairs {
		p := &l.result.Pairs[k]
		all, err := l.jackknife(ctx, p, measureValues)
		if err != nil {
			return err
		}
		perPair[k] = all
		p.Measures = make(map[string]results.Measure)
		for i, m := range allMeasures() {
			p.Measures[m.Name] = measure(all[i], measureIntervals[m.Name])
		}
	}
	l.result.Measures = l.layerMeasures(perPair)
	if l.sampled == nil {
		return nil
	}
	return l.measureNulls(ctx)
}

// measureNulls sets what measures are of images that are exchanged, beside the same
// observations of images that go together.
func (l *layer) measureNulls(ctx context.Context) error {
	draws := len(l.exchanged)
	var all [][][]float64 // by pair, draw and measure
	for k := range l.result.Pairs {
		p := &l.result.Pairs[k]
		liveA, liveB := l.sampled.Live(p.A), l.sampled.Live(p.B)
		if len(liveA) == 0 || len(liveB) == 0 {
			continue // live at other positions only
		}
		values := make([][]float64, draws+1)
		err := l.each(ctx, draws+1, func(d int) (err error) {
			m := l.sampled
			if d < draws {
				m = l.exchanged[d]
			}
			c := m.PairOf(p.A, p.B, liveA, liveB)
			c.Threads = 1
			values[d], err = measureValues(c)
			return err
		})
		if err != nil {
			return err
		}
		for i, m := range allMeasures() {
			var chance corr.Null
			for _, v := range values[:draws] {
				chance.Draws = append(chance.Draws, v[i])
			}
			p.Measures[m.Name] = againstChance(p.Measures[m.Name], chance, values[draws][i], m.Distance)
		}
		all = append(all, values)
	}
	if len(all) == len(l.result.Pairs) {
		l.layerNulls(all)
	}
	return nil
}

// againstChance sets what a measure is by chance, and how often chance is as far out as what
// was observed of the same images.
func againstChance(m results.Measure, chance corr.Null, observed float64, distance bool) results.Measure {
	m.Null = results.Finite(chance.Mean())
	switch {
	case m.Null == nil || math.IsNaN(observed):
	case distance:
		m.P = results.Finite(chance.PValueLower(observed))
	default:
		m.P = results.Finite(chance.PValue(observed))
	}
	return m
}
