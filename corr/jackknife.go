package corr

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/convergent-go/convergent/internal/par"
)

// Jackknife is a figure of all groups of images, and of all but one, for each.
type Jackknife struct {
	Value   float64
	Without []float64 // by group that is left out
	Rows    []float64 // observations in each group
}

// StandardError returns that of the figure by the jackknife over groups of unequal size
// (Busing, Meijer and van der Leeden, "Delete-m jackknife for unequal m", Statistics and
// Computing 9, 1999): with h_j = n/m_j for the n observations of all groups and the m_j
// of group j,
//
//	(1/g) sum_j (h_j F - (h_j - 1) F_(-j) - F_J)^2 / (h_j - 1)
//
// for the mean F_J = g F - sum_j (1 - 1/h_j) F_(-j) is the squared standard error. It is
// NaN of fewer than two groups, or where a figure is.
func (j Jackknife) StandardError() float64 {
	g := float64(len(j.Without))
	if g < 2 {
		return math.NaN()
	}
	var n float64
	for _, m := range j.Rows {
		n += m
	}
	// The pseudo-values less F: (h - 1) (F - F_(-j)), and their mean, weighted.
	var mean float64
	for k, m := range j.Rows {
		mean += (1 - m/n) * (j.Value - j.Without[k])
	}
	var variance float64
	for k, m := range j.Rows {
		h := n / m
		d := (h-1)*(j.Value-j.Without[k]) - mean
		variance += d * d / (h - 1) / g
	}
	return math.Sqrt(variance)
}

// Corrected returns the figure less its bias, as far as that falls with the number of
// observations as 1/n does (Quenouille, 1956; the mean of the pseudo-values): F_J above.
func (j Jackknife) Corrected() float64 {
	var n float64
	for _, m := range j.Rows {
		n += m
	}
	corrected := j.Value
	for k, m := range j.Rows {
		corrected += (1 - m/n) * (j.Value - j.Without[k])
	}
	return corrected
}

// Interval returns a confidence interval of the given level, such as 0.95: quantiles of
// Student's t with one degree of freedom less than there are groups, times the standard
// error, to either side of the figure. It suits figures whose bias is small beside their
// error, such as means of a matching.
func (j Jackknife) Interval(level float64) (low, high float64) {
	half := j.half(level)
	return j.Value - half, j.Value + half
}

// CorrectedInterval is Interval to either side of the corrected figure. It suits smooth
// functions of covariances whose bias is not small, such as R^2 of many units; the figure
// itself may lie outside.
func (j Jackknife) CorrectedInterval(level float64) (low, high float64) {
	half := j.half(level)
	return j.Corrected() - half, j.Corrected() + half
}

// LogInterval is the Interval of the figure's logarithm, in terms of the figure: from
// F exp(-h) to F exp(h). It suits figures whose error grows as they do, such as variances and
// distances, of few groups (Miller, "The jackknife - a review", Biometrika 61, 1974). It is
// NaN where a figure is 0 or less.
func (j Jackknife) LogInterval(level float64) (low, high float64) {
	log := Jackknife{Value: math.Log(j.Value), Without: make([]float64, len(j.Without)), Rows: j.Rows}
	for k, v := range j.Without {
		log.Without[k] = math.Log(v)
	}
	low, high = log.Interval(level)
	return math.Exp(low), math.Exp(high)
}

// half is half the width of an interval.
func (j Jackknife) half(level float64) float64 {
	se := j.StandardError()
	if math.IsNaN(se) {
		return se
	}
	return se * distuv.StudentsT{Sigma: 1, Nu: float64(len(j.Without) - 1)}.Quantile((1+level)/2)
}

// Jackknife returns figures of networks a and b, of all images and of all but each group of
// them (Tukey, 1958). Figures must come in equal number from each call, and be safe to
// compute at once for different Pairs, whose units are those that are live in all images.
//
// Fewer than 10 groups with images are an error that wraps [ErrTooFewObservations]; an error of
// figures is one of Jackknife.
func (g *Groups) Jackknife(ctx context.Context, a, b int, figures func(*Pair) ([]float64, error)) ([]Jackknife, error) {
	total := g.total
	if total == nil {
		total = g.sum()
	}
	all := total.Pair(a, b)
	all.Threads = g.Threads
	values, err := figures(all)
	if err != nil {
		return nil, err
	}
	r := newResampler(g, total, a, b, all)
	if r.groupCount < minGroups {
		return nil, fmt.Errorf("corr: %w: a jackknife of %d groups of images says little; use %d or more", ErrTooFewObservations, r.groupCount, minGroups)
	}
	results := make([]Jackknife, len(values))
	for i, v := range values {
		results[i] = Jackknife{Value: v, Without: make([]float64, r.groupCount), Rows: r.rows}
	}
	const batch = 16
	threads := par.Threads(g.Threads)
	for lo := 0; lo < r.groupCount; lo += batch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n := min(batch, r.groupCount-lo)
		times := make([]float64, n*r.groupCount)
		for i := range times {
			if i%r.groupCount != lo+i/r.groupCount {
				times[i] = 1
			}
		}
		pairs := r.pairs(threads, times)
		errs := make([]error, n)
		par.For(threads, n, func(i int) {
			without, err := figures(pairs[i])
			if err == nil && len(without) != len(values) {
				err = errors.New("corr: figures without a group are of another number")
			}
			errs[i] = err
			for k, v := range without {
				if err == nil {
					results[k].Without[lo+i] = v
				}
			}
		})
		if err := errors.Join(errs...); err != nil {
			return nil, err
		}
	}
	return results, nil
}
