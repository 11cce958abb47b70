package corr

import (
	"fmt"
	"math"

	"github.com/convergent-go/convergent/internal/assignment"
)

// Procrustes returns the shape distance of the networks' responses, each centred and
// scaled to a total variance of 1, under the best rotation (Schönemann, 1966;
// Williams, Kunz, Kornblith and Linderman, "Generalized shape metrics on neural
// representations", NeurIPS 2021):
//
//	sqrt(2 - 2 |S_ab|_* / sqrt(tr S_aa tr S_bb))
//
// with the nuclear norm, the sum of singular values. It is a metric, in [0, sqrt 2];
// 0 for networks that are rotations of each other, a smaller one in a larger one
// included; and invariant to rotations of either and to a factor for all units.
//
// It takes p q min(p, q) steps for p units of a and q of b. See also [Pair.AngularProcrustes],
// [Pair.NBS], [Pair.Permutation] and [Pair.Alignment].
func (c *Pair) Procrustes() (float64, error) {
	if err := c.checkVariance(); err != nil {
		return math.NaN(), err
	}
	return c.distance(c.nuclearNorm()), nil
}

// Permutation returns the shape distance under the best matching of units instead of the
// best rotation (Williams and others, 2021), where unmatched units of the larger network
// are paired with units that are silent:
//
//	sqrt(2 - 2 max_pi sum_i S_ab[i, pi(i)] / sqrt(tr S_aa tr S_bb))
//
// It is a metric, in [0, 2], no less than [Pair.Procrustes]; 0 for networks that are the
// same but for the order of units; and invariant to that and to a factor for all units.
//
// It is as fast as the matching: cubic at most, and far less where units have partners.
func (c *Pair) Permutation() (float64, error) {
	if err := c.checkVariance(); err != nil {
		return math.NaN(), err
	}
	matching, err := assignment.Max(assignment.Matrix{Rows: c.p, Cols: c.q, Stride: c.q, Data: c.ab})
	if err != nil {
		return math.NaN(), fmt.Errorf("corr: covariances: %w", err)
	}
	var sum float64
	for i, j := range matching.Partner {
		if j >= 0 {
			sum += c.ab[i*c.q+j]
		}
	}
	return c.distance(sum), nil
}

// distance returns the distance of networks scaled to a total variance of 1, after a
// rotation or matching that gives their units the summed covariance.
func (c *Pair) distance(covariance float64) float64 {
	return math.Sqrt(max(0, 2-2*covariance/math.Sqrt(trace(c.aa, c.p))/math.Sqrt(trace(c.bb, c.q))))
}
