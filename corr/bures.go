package corr

import "math"

// NBS returns normalised Bures similarity (Tang, Maheswaranathan and others, "Similarity
// of neural networks with gradients", 2020), the fidelity of the networks' centred inner
// products of samples K and L:
//
//	tr (K^(1/2) L K^(1/2))^(1/2) / sqrt(tr K tr L) = |S_ab|_* / sqrt(tr S_aa tr S_bb)
//
// with the nuclear norm, the sum of singular values (the equality: Harvey, Larsen and
// Williams, "Duality of Bures and shape distances with implications for comparing neural
// representations", 2023). It is in [0, 1], 1 for networks that are rotations of each
// other; symmetric; and invariant to rotations of either network's units and to a factor
// for all of them. [Pair.Procrustes] is sqrt(2 - 2 NBS). With fewer observations than units it is
// biased upwards.
func (c *Pair) NBS() (float64, error) {
	if err := c.checkVariance(); err != nil {
		return math.NaN(), err
	}
	// A similarity that rounding takes above 1 is 1.
	return min(1, c.nuclearNorm()/math.Sqrt(trace(c.aa, c.p))/math.Sqrt(trace(c.bb, c.q))), nil
}

// AngularProcrustes returns the angle between the networks' responses, each centred, under
// the best rotation (Williams, Kunz, Kornblith and Linderman, "Generalized shape metrics on
// neural representations", NeurIPS 2021): arccos of [Pair.NBS]. It is a metric, the length
// of the way on the sphere of which [Pair.Procrustes] is the chord, in [0, pi/2];
// symmetric; and invariant to rotations of either network's units and to a factor for all
// of them. Angles below 1e-7 are lost in rounding.
func (c *Pair) AngularProcrustes() (float64, error) {
	s, err := c.NBS()
	return math.Acos(s), err
}
