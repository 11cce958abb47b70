package corr

import "math"

// GULP returns by how much predictions by ridge regression from the networks differ, for
// any targets (Boix-Adserà, Lawrence, Stepaniants and Rigollet, "GULP: a prediction-based
// metric between representations", NeurIPS 2022). With each network scaled to a total
// variance of 1, and R_a = (S_aa + lambda)^(-1), it is
//
//	sqrt(tr R_a S_aa R_a S_aa + tr R_b S_bb R_b S_bb - 2 tr R_a S_ab R_b S_ba)
//
// and a target of variance 1 is predicted from both with penalty lambda to within that, in
// the root of the mean square.
//
// It is a metric; in [0, sqrt(1/(2 lambda))], and no more than the root of the number of
// units of both; symmetric; and invariant to rotations of either network's units and to a
// factor for all of them. As lambda falls to 0 its square nears p + q - 2 sum rho^2 for the
// canonical correlations rho of p and q units, which take many observations; as lambda
// grows, lambda times it nears the Frobenius distance of the networks' inner products of
// samples. A lambda that is not above 0 is an error.
//
// It takes p^3 + q^3 steps for p units of a and q of b. See also [Pair.Ridge].
func (c *Pair) GULP(lambda float64) (float64, error) {
	if !(lambda > 0) {
		return math.NaN(), badPenalty(lambda)
	}
	if err := c.checkVariance(); err != nil {
		return math.NaN(), err
	}
	a, b := c.axesA(), c.axesB()
	sizeA, sizeB := trace(c.aa, c.p), trace(c.bb, c.q)
	// In principal axes R S is diagonal, and S_ab whitened has the elements rho.
	shrink := func(x *axes, size float64) (s []float64, squares float64) {
		for _, v := range x.variances[:x.rank] {
			s = append(s, v/(v+float64(lambda*size)))
			squares += float64(s[len(s)-1] * s[len(s)-1])
		}
		return s, squares
	}
	sa, withinA := shrink(a, sizeA)
	sb, withinB := shrink(b, sizeB)
	var between float64
	for i, rho := range c.componentCorrelations(a.rank, b.rank) {
		between += float64(rho * rho * sa[i/b.rank] * sb[i%b.rank])
	}
	return math.Sqrt(max(0, withinA+withinB-2*between)), nil
}
