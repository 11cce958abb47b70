package corr

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

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
		mean += float64((1 - m/n) * (j.Value - j.Without[k]))
	}
	var variance float64
	for k, m := range j.Rows {
		h := n / m
		d := float64((h-1)*(j.Value-j.Without[k])) - mean
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
		corrected += float64((1 - m/n) * (j.Value - j.Without[k]))
	}
	return corrected
}

// Interval returns a confidence interval of the given level, such as 0.95: quantiles of
// Student's t with one degree of freedom less than there are groups, times the standard
// error, to either side of the figure. It is of what as many observations give on average, which
// of the best of many partners is more than all observations there are would give.
func (j Jackknife) Interval(level float64) (low, high float64) {
	half := j.half(level)
	return j.Value - half, j.Value + half
}

// CorrectedInterval is Interval to either side of the corrected figure, and of the figure of all
// observations there are. It suits smooth functions of covariances, such as R^2 of many units, of
// four images or more for each unit of the wider network; the figure itself may lie outside.
func (j Jackknife) CorrectedInterval(level float64) (low, high float64) {
	half := j.half(level)
	return j.Corrected() - half, j.Corrected() + half
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
	var groups []int // that have images
	var rows []float64
	for i, m := range g.parts {
		if n := m.Count(); n > 0 {
			groups, rows = append(groups, i), append(rows, float64(n))
		}
	}
	if len(groups) < minGroups {
		return nil, fmt.Errorf("corr: %w: a jackknife of %d groups of images says little; use %d or more", ErrTooFewObservations, len(groups), minGroups)
	}
	all := g.pair(a, b, indices(len(g.parts)), nil, nil)
	all.Threads = g.Threads
	values, err := figures(all)
	if err != nil {
		return nil, err
	}
	results := make([]Jackknife, len(values))
	for i, v := range values {
		results[i] = Jackknife{Value: v, Without: make([]float64, len(groups)), Rows: rows}
	}
	errs := make([]error, len(groups))
	par.For(par.Threads(g.Threads), len(groups), func(k int) {
		if errs[k] = ctx.Err(); errs[k] != nil {
			return
		}
		rest := g.without(all, a, b, groups[k])
		rest.turnedA.like, rest.turnedB.like = all.turnedA, all.turnedB
		without, err := figures(rest)
		if err == nil && len(without) != len(values) {
			err = errors.New("corr: figures without a group are of another number")
		}
		if errs[k] = err; err != nil {
			return
		}
		for i, v := range without {
			results[i].Without[k] = v
		}
	})
	return results, errors.Join(errs...)
}

// without returns the Pair of all observations but those of a group, of the units of that of all.
func (g *Groups) without(all *Pair, a, b, group int) *Pair {
	if !g.parts[group].kept() {
		return all.without(g.pair(a, b, []int{group}, all.UnitsA, all.UnitsB))
	}
	others := slices.DeleteFunc(indices(len(g.parts)), func(i int) bool { return i == group })
	c := g.pair(a, b, others, all.UnitsA, all.UnitsB)
	c.Threads = 1
	return c
}

// without returns the Pair of the observations of c but for those of g, which are among them:
// of N observations with the mean M and covariances S, and n of them with m and s, the others
// have the covariances
//
//	(N S - n s - d d^T n N / (N - n)) / (N - n),  d = m - M
//
// It takes the memory of g.
func (c *Pair) without(g *Pair) *Pair {
	all, own := float64(c.Count), float64(g.Count)
	rest := all - own
	scale := own * all / rest
	means := func(m, of []float64) (d []float64) {
		d = make([]float64, len(m))
		for i := range m {
			d[i] = of[i] - m[i]
			of[i] = m[i] - float64(own/rest*d[i])
		}
		return d
	}
	da, db := means(c.ma, g.ma), means(c.mb, g.mb)
	covariances := func(x, of, dx, dy []float64, symmetric bool) {
		for i, u := range dx {
			for j, v := range dy {
				k := i*len(dy) + j
				of[k] = (float64(all*x[k]) - float64(own*of[k]) - float64(scale*u*v)) / rest
				if symmetric && i == j && of[k] <= 1e-12*x[k] {
					of[k] = 0 // what rounding leaves of a constant
				}
			}
		}
	}
	covariances(c.aa, g.aa, da, da, true)
	covariances(c.ab, g.ab, da, db, false)
	covariances(c.bb, g.bb, db, db, true)
	d := newPair(c.UnitsA, c.UnitsB, int64(rest), c.accuracy, g.pairMoments)
	d.Threads = 1
	return d
}
