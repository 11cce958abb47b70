package compare

import (
	"context"
	"errors"
	"math"

	"github.com/convergent-go/convergent/bench/convergent/internal/study"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/match"
)

// measures are those of package corr, and the mean correlation of the one-to-one
// matching.
func measures() []corr.Measure {
	return append(corr.Measures(), corr.Measure{Name: "matched", Symmetric: true, Of: func(p *corr.Pair) (float64, error) {
		m, err := match.Bipartite(p.Correlation())
		return m.Mean, err
	}})
}

// figures returns the value of each measure, NaN where there are too few observations.
func figures(p *corr.Pair) ([]float64, error) {
	var values []float64
	for _, m := range measures() {
		v, err := m.Of(p)
		if errors.Is(err, corr.ErrTooFew) {
			v = math.NaN()
		} else if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}

// measure returns the measures of networks a and b, with intervals and a null if there
// is what they are made from.
func (t *together) measure(ctx context.Context, m *corr.Moments, a, b, resamples int, seed uint64, progress func(done, total int)) (map[string]study.Measure, error) {
	values, err := figures(m.Pair(a, b))
	if err != nil {
		return nil, err
	}
	all := make(map[string]study.Measure)
	for i, k := range measures() {
		all[k.Name] = study.Measure{Value: study.Finite(values[i])}
	}
	if t.groups != nil {
		intervals, err := t.groups.Bootstrap(ctx, corr.BootstrapOptions{Draws: resamples, Seed: seed, Progress: progress}, a, b, figures)
		if err != nil && !errors.Is(err, corr.ErrTooFew) {
			return nil, err
		}
		for i, interval := range intervals {
			one := all[measures()[i].Name]
			one.Low, one.High = study.Finite(interval.Low), study.Finite(interval.High)
			all[measures()[i].Name] = one
		}
	}
	if t.shuffles != nil {
		return all, t.null(ctx, all, a, b)
	}
	return all, nil
}

// null sets what measures are of shuffled images. Observed and shuffled are of the same
// few positions.
func (t *together) null(ctx context.Context, all map[string]study.Measure, a, b int) error {
	liveA, liveB := t.few.Live(a), t.few.Live(b)
	if len(liveA) == 0 || len(liveB) == 0 {
		return nil // live at other positions only
	}
	observed, err := figures(t.few.PairOf(a, b, liveA, liveB))
	if err != nil {
		return err
	}
	chance := make([]corr.Null, len(observed))
	for _, m := range t.shuffles.Moments() {
		if err := ctx.Err(); err != nil {
			return err
		}
		values, err := figures(m.PairOf(a, b, liveA, liveB))
		if err != nil {
			return err
		}
		for i, v := range values {
			chance[i].Draws = append(chance[i].Draws, v)
		}
	}
	for i, k := range measures() {
		one := all[k.Name]
		one.Null = study.Finite(chance[i].Mean())
		if one.Null != nil && k.Distance {
			one.P = study.Finite(chance[i].PBelow(observed[i]))
		} else if one.Null != nil {
			one.P = study.Finite(chance[i].PValue(observed[i]))
		}
		all[k.Name] = one
	}
	return nil
}
