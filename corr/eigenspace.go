package corr

import "math"

// EigenspaceOverlap returns the eigenspace overlap score (May, Zhang, Dao and Ré, "On the
// downstream performance of compressed word embeddings", NeurIPS 2019) of the principal
// axes that hold the given share of each network's variance, all of them where it is 0: with
// orthonormal bases U and V of what samples are along k axes of a and l of b,
//
//	|U^T V|_F^2 / max(k, l)
//
// It is in [0, 1], 1 if both span the same space of responses to samples; symmetric; and
// invariant to rotations of either network's units and to a factor for all of them, and to
// any invertible linear map where the axes are all. It is the sum of the squared canonical
// correlations of the axes over the larger number of them: of independent data min(k, l)/(n-1) on
// average over n samples. Too few observations are an error as in [Pair.CCA].
//
// For another choice of axes see [Pair.EigenspaceOverlapOf].
//
// It takes p^3 + q^3 steps for p units of a and q of b.
func (c *Pair) EigenspaceOverlap(share float64) (float64, error) {
	if err := c.checkVariance(); err != nil {
		return math.NaN(), err
	}
	if share == 0 {
		share = 1
	}
	return c.EigenspaceOverlapOf(c.axesA().count(share), c.axesB().count(share))
}

// EigenspaceOverlapOf returns the same of the first k principal axes of a and l of b, or as
// many as have variance. It panics if one is below 1.
func (c *Pair) EigenspaceOverlapOf(k, l int) (float64, error) {
	if k < 1 || l < 1 {
		panic("corr: no principal axes")
	}
	if err := c.checkVariance(); err != nil {
		return math.NaN(), err
	}
	a, b := c.axesA(), c.axesB()
	k, l = min(k, a.rank), min(l, b.rank)
	if err := c.checkDimensions(k, l); err != nil {
		return math.NaN(), err
	}
	// A score that rounding takes above 1 is 1.
	return min(1, squaredNorm(c.componentCorrelations(k, l))/float64(max(k, l))), nil
}
