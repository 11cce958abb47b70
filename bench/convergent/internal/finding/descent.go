package finding

import (
	"context"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/floats"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/match"
	"github.com/convergent-go/convergent/nn"
)

// passes are after how many of them over its observations stochastic descent is looked at.
var passes = []int{2, 20}

// Descent is tried on about so many observations, and in wide layers for so many units of
// network 1, spread evenly.
const (
	descentRows  = 4096
	descentUnits = 256
)

// descent solves the sparse prediction of network 1 from network 0 exactly, and as the
// paper did, on the same sample of observations.
func (l *layer) descent(ctx context.Context) error {
	if l.Sample == nil {
		return nil
	}
	x, y := l.Sample.Rows(0, descentRows), l.Sample.Rows(1, descentRows)
	rows, units := len(x)/l.Units[0], min(l.Units[1], descentUnits)
	if units < l.Units[1] {
		y = columns(y, l.Units[1], spreadOver(l.Units[1], units))
	}
	m := corr.NewMoments(l.Units[0], units)
	m.Threads = l.Threads
	if err := m.Add(rows, x, y); err != nil {
		return err
	}
	la, lb := m.Live(0), m.Live(1)
	if len(la) == 0 || len(lb) == 0 {
		return nil // units that are live at other positions only
	}
	fits, err := match.Lasso(ctx, corr.Select(m.Correlation(nil, 0, 0), la, la), corr.Select(m.Correlation(nil, 0, 1), la, lb),
		match.LassoOptions{Lambdas: l.Lambdas, KeepWeights: true, Threads: l.Threads})
	if err != nil {
		return err
	}
	all := make([]results.Descent, len(fits))
	for i, fit := range fits {
		d := results.Descent{Lambda: fit.Lambda, Rows: rows, Units: len(lb), Loss: mean(fit.Loss), Gap: slices.Max(fit.Gap), Runs: make([]results.DescentResult, len(passes))}
		for _, n := range fit.NonZero[0] {
			d.NonZero += float64(n) / float64(len(lb))
		}
		d.Objective = d.Loss + d.Lambda*floats.Norm(fit.W.RawMatrix().Data, 1)/float64(len(lb))
		all[i] = d
	}
	l.result.Descent = all
	return l.each(ctx, len(fits)*len(passes), func(i int) (err error) {
		d, k := &all[i/len(passes)], i%len(passes)
		d.Runs[k], err = l.descend(ctx, x, y, units, d.Lambda, passes[k], lb)
		return err
	})
}

// columns returns some columns of rows of so many units.
func columns(rows []float32, units int, places []int) []float32 {
	x := make([]float32, 0, len(rows)/units*len(places))
	for ; len(rows) > 0; rows = rows[units:] {
		for _, at := range places {
			x = append(x, rows[at])
		}
	}
	return x
}

// descend trains a mapping and measures it in the live units.
func (l *layer) descend(ctx context.Context, x, y []float32, out int, lambda float64, epochs int, live []int) (results.DescentResult, error) {
	in := l.Units[0]
	w, err := nn.TrainMapping(ctx, len(x)/in, x, in, y, out, nn.MappingOptions{Lambda: lambda, Epochs: epochs, Seed: stream(l.Seed, gradientDescent), Threads: 1})
	if err != nil {
		return results.DescentResult{}, err
	}
	d := results.DescentResult{Epochs: epochs, Loss: floats.Sum(pick(w.Loss, live)) / float64(len(live)), NonZero: make(map[string]float64)}
	d.Objective = d.Loss
	for _, j := range live {
		for _, v := range w.W[j*in:][:in] {
			size := math.Abs(float64(v))
			d.Objective += lambda * size / float64(len(live))
			for _, t := range thresholds {
				if size > t {
					d.NonZero[strconv.FormatFloat(t, 'g', -1, 64)] += 1 / float64(len(live))
				}
			}
		}
	}
	return d, nil
}
