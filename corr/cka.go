package corr

import "math"

// CKA returns linear centred kernel alignment (Kornblith, Norouzi, Lee and Hinton,
// "Similarity of neural network representations revisited", ICML 2019):
//
//	|S_ab|_F^2 / (|S_aa|_F |S_bb|_F)
//
// in [0, 1]; symmetric; invariant to rotations of either network's units and to a
// factor for all of them, not to one for each. With fewer observations than units it
// is biased upwards.
//
// It takes (p + q)^2 steps for p units of a and q of b. See also [HSIC.DebiasedCKA], [GramPair.CKA]
// and [CKAMatrix].
func (c *Pair) CKA() (float64, error) {
	if err := c.checkVariance(); err != nil {
		return math.NaN(), err
	}
	return squaredNorm(c.ab) / math.Sqrt(squaredNorm(c.aa)) / math.Sqrt(squaredNorm(c.bb)), nil
}

// RV returns the RV coefficient (Escoufier, "Le traitement des variables
// vectorielles", Biometrics 29, 1973; Robert and Escoufier, 1976):
//
//	tr(S_ab S_ba) / sqrt(tr(S_aa^2) tr(S_bb^2))
//
// As a function of covariances it is linear CKA, by its older name.
func (c *Pair) RV() (float64, error) { return c.CKA() }

// squaredNorm returns the squared Frobenius norm.
func squaredNorm(x []float64) float64 {
	var s float64
	for _, v := range x {
		s += float64(v * v)
	}
	return s
}
