package corr

import (
	"cmp"
	"math"
	"slices"
)

// BenjaminiHochberg returns the q-value of each of several p-values: the least false
// discovery rate at which it is found. Rejecting all with q of at most alpha keeps the
// expected share of false ones among the rejected at or below alpha if the p-values are
// independent or positively dependent (Benjamini and Hochberg, "Controlling the false
// discovery rate", Journal of the Royal Statistical Society B 57, 1995; Benjamini and
// Yekutieli, 2001). Equal p-values have equal q-values. NaN is no test: its q is NaN, and it
// does not count among the others. It panics if a p-value lies outside [0, 1].
func BenjaminiHochberg(p []float64) []float64 {
	q := make([]float64, len(p))
	var order []int // by p-value
	for i, v := range p {
		switch {
		case math.IsNaN(v):
			q[i] = v
		case v < 0 || v > 1:
			panic("corr: a p-value lies outside [0, 1]")
		default:
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(p[i], p[j]) })
	least := 1.0
	for rank, i := range slices.Backward(order) {
		least = min(least, p[i]*float64(len(order))/float64(rank+1))
		q[i] = least
	}
	return q
}
