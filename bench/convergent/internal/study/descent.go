package study

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/floats"

	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/match"
	"github.com/convergent-go/convergent/nn"
)

// passes are after how many of them over its rows stochastic descent is looked at.
var passes = []int{2, 20}

// descent solves the sparse prediction of network 1 from network 0 exactly, and as the
// paper did, on the same rows.
func (f *findings) descent(ctx context.Context) error {
	in, out := f.layer.Units[0], f.layer.Units[1]
	rows := len(f.rows[0]) / in
	m := corr.NewMoments(in, out)
	m.Threads = f.threads
	if err := m.Add(rows, f.rows[0], f.rows[1]); err != nil {
		return err
	}
	la, lb := m.Live(0), m.Live(1)
	if len(la) == 0 || len(lb) == 0 {
		return nil // units that are live at other positions only
	}
	fits, err := match.Lasso(ctx, corr.Select(m.Correlation(nil, 0, 0), la, la), corr.Select(m.Correlation(nil, 0, 1), la, lb),
		match.LassoOptions{Lambdas: f.lambdas, KeepWeights: true, Threads: f.threads})
	if err != nil {
		return err
	}
	results := make([]Descent, len(fits))
	for i, fit := range fits {
		d := Descent{Lambda: fit.Lambda, Rows: rows, Loss: mean(fit.Loss), Gap: slices.Max(fit.Gap), Runs: make([]DescentResult, len(passes))}
		for _, n := range fit.NonZero[0] {
			d.NonZero += float64(n) / float64(len(lb))
		}
		d.Objective = d.Loss + d.Lambda*floats.Norm(fit.W.RawMatrix().Data, 1)/float64(len(lb))
		results[i] = d
	}
	errs := make([]error, len(fits)*len(passes))
	par.For(par.Threads(f.threads), len(errs), func(i int) {
		d, k := &results[i/len(passes)], i%len(passes)
		d.Runs[k], errs[i] = f.descend(ctx, d.Lambda, passes[k], rows, lb)
	})
	f.layer.Descent = results
	return errors.Join(errs...)
}

// descend trains a mapping and measures it in the live units.
func (f *findings) descend(ctx context.Context, lambda float64, epochs, rows int, live []int) (DescentResult, error) {
	in := f.layer.Units[0]
	w, err := nn.TrainMapping(ctx, rows, f.rows[0], in, f.rows[1], f.layer.Units[1], nn.MappingOptions{Lambda: lambda, Epochs: epochs, Seed: f.seed, Threads: 1})
	if err != nil {
		return DescentResult{}, err
	}
	d := DescentResult{Epochs: epochs, Loss: floats.Sum(pick(w.Loss, live)) / float64(len(live)), NonZero: make(map[string]float64)}
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
