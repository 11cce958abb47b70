package corr

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// Measure is a measure of similarity, or of distance, of two networks.
type Measure struct {
	Name      string
	Distance  bool // smaller values are more alike
	Symmetric bool // its value is the same from b to a
	Func      func(*Pair) (float64, error)
}

// Measures returns all measures, each of which is documented at its method:
//
//	best_ab, best_ba     Pair.MeanMaxCorrelation
//	excess_ab, excess_ba Pair.Excess, over 512 rotated units or more
//	cka, rv              Pair.CKA, Pair.RV
//	cca, svcca           Pair.MeanCCA, Pair.SVCCA for 0.99 of the variance
//	pwcca_ab, pwcca_ba   Pair.PWCCA
//	procrustes           Pair.Procrustes
//	nbs, angular         Pair.NBS, Pair.AngularProcrustes
//	permutation          Pair.Permutation
//	overlap              Pair.EigenspaceOverlap, of the axes with 0.99 of the variance
//	gulp                 Pair.GULP, for a penalty of 0.01 of the total variance
//	linear_ab, linear_ba Pair.Linear: mean R^2 of the second network's units
//	ridge_ab, ridge_ba   Pair.Ridge, for a penalty of 0.01 of the mean variance
func Measures() []Measure {
	swap := func(f func(*Pair) (float64, error)) func(*Pair) (float64, error) {
		return func(c *Pair) (float64, error) { return f(c.reversed()) }
	}
	draws := func(units int) int { return max(1, 512/max(1, units)) }
	svcca := func(c *Pair) (float64, error) { return c.SVCCA(0) }
	linear := func(c *Pair) (float64, error) {
		p, err := c.Linear()
		if err != nil {
			return math.NaN(), err
		}
		return p.Mean, nil
	}
	ridge := func(c *Pair) (float64, error) {
		if err := c.checkVariance(); err != nil {
			return math.NaN(), err
		}
		if rank := c.axesA().rank; int64(rank) >= c.Count-1 { // with a small penalty, too
			return math.NaN(), fmt.Errorf("corr: %w: %d dimensions predict any %d nearly", ErrTooFewObservations, rank, c.Count)
		}
		p, err := c.Ridge(nil, 0.01*trace(c.aa, c.p)/float64(c.p))
		if err != nil {
			return math.NaN(), err
		}
		return p[0].Mean, nil
	}
	return []Measure{
		{"best_ab", false, false, (*Pair).MeanMaxCorrelation},
		{"best_ba", false, false, (*Pair).meanMaxOfB},
		{"excess_ab", false, false, func(c *Pair) (float64, error) { return c.Excess(context.Background(), draws(c.q), 0) }},
		{"excess_ba", false, false, func(c *Pair) (float64, error) { return c.excessOfB(draws(c.p), 0) }},
		{"cka", false, true, (*Pair).CKA},
		{"rv", false, true, (*Pair).RV},
		{"cca", false, true, (*Pair).MeanCCA},
		{"svcca", false, true, svcca},
		{"pwcca_ab", false, false, (*Pair).PWCCA},
		{"pwcca_ba", false, false, (*Pair).pwccaOfB},
		{"procrustes", true, true, (*Pair).Procrustes},
		{"nbs", false, true, (*Pair).NBS},
		{"angular", true, true, (*Pair).AngularProcrustes},
		{"permutation", true, true, (*Pair).Permutation},
		{"overlap", false, true, func(c *Pair) (float64, error) { return c.EigenspaceOverlap(0.99) }},
		{"gulp", true, true, func(c *Pair) (float64, error) { return c.GULP(0.01) }},
		{"linear_ab", false, false, linear},
		{"linear_ba", false, false, swap(linear)},
		{"ridge_ab", false, false, ridge},
		{"ridge_ba", false, false, swap(ridge)},
	}
}

// MeanMaxCorrelation returns the mean over a's units of the largest correlation with a
// unit of b: the paper's semi-matching (section 3). It is in [-1, 1], not symmetric, and
// invariant to the order, scale and offset of units, not to rotations.
//
// It takes p q steps for p units of a and q of b. See also [Pair.Excess] and [Pair.RotationNull].
func (c *Pair) MeanMaxCorrelation() (float64, error) {
	if err := c.checkVariance(); err != nil {
		return math.NaN(), err
	}
	r := c.standardBetween()
	var sum float64
	for i := range c.p {
		largest := -1.0
		for _, v := range r[i*c.q:][:c.q] {
			if v > largest {
				largest = v
			}
		}
		sum += min(1, largest)
	}
	return sum / float64(c.p), nil
}

// meanMaxOfB returns MeanMaxCorrelation with a and b exchanged.
func (c *Pair) meanMaxOfB() (float64, error) {
	if err := c.checkVariance(); err != nil {
		return math.NaN(), err
	}
	largest, r := slices.Repeat([]float64{-1}, c.q), c.standardBetween()
	for i := range c.p {
		for j, v := range r[i*c.q:][:c.q] {
			if v > largest[j] {
				largest[j] = v
			}
		}
	}
	var sum float64
	for _, v := range largest {
		sum += min(1, v)
	}
	return sum / float64(c.q), nil
}
