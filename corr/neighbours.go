package corr

import (
	"math"
	"slices"

	"github.com/convergent-go/convergent/internal/par"
)

// MutualNeighbours returns the share of a sample's k nearest neighbours in one network
// that are among its k nearest in the other, on average over samples (Huh, Cheung, Wang
// and Isola, "The Platonic representation hypothesis", ICML 2024, who take cosines). A
// sample is no neighbour of its own, and of those equally far the first are nearer.
//
// It is in [0, 1]; symmetric; and invariant to what changes no order of distances: for
// Euclidean ones rotations, shifts and a factor for all features. That of independent
// networks is k/(n-1) on average over permutations of n samples. It panics if k is below 1;
// k or fewer other samples are an error that wraps [ErrTooFewObservations].
//
// Neighbours are found once, in n^2 steps, and n k steps are left for each permutation.
//
// See also [GramPair.RSA].
func (c *GramPair) MutualNeighbours(k int, d Distance) (float64, error) {
	if k < 1 {
		panic("corr: no neighbours")
	}
	if err := c.ready(k + 2); err != nil {
		return math.NaN(), err
	}
	a, err := c.a.neighbours(c.Threads, k, d)
	if err != nil {
		return math.NaN(), c.in(0, err)
	}
	b, err := c.b.neighbours(c.Threads, k, d)
	if err != nil {
		return math.NaN(), c.in(1, err)
	}
	n := c.a.n
	stands := make([]int, n) // where sample j of b stands
	for i := range n {
		stands[c.at(i)] = i
	}
	lastSample := make([]int, n) // by which sample last, plus 1
	common := 0
	for i := range n {
		for _, j := range a[i*k:][:k] {
			lastSample[j] = i + 1
		}
		for _, j := range b[c.at(i)*k:][:k] {
			if lastSample[stands[j]] == i+1 {
				common++
			}
		}
	}
	return float64(common) / float64(n) / float64(k), nil
}

// neighbours returns the k nearest of each sample in turn.
func (g *Gram) neighbours(threads, k int, d Distance) ([]int32, error) {
	m, err := g.metric(d)
	if err != nil {
		return nil, err
	}
	type key struct {
		k int
		d Distance
	}
	return share(g, key{k, d}, func() []int32 {
		neighbours := make([]int32, g.n*k)
		par.Blocks(par.Threads(threads), g.n, 16, func(lo, hi int) {
			distances, nearest := make([]float32, g.n), make([]uint64, 0, k+1)
			for i := lo; i < hi; i++ {
				m.from(i, 0, distances)
				nearest = nearest[:0]
				for j, v := range distances {
					o := order(v, j)
					if j == i || len(nearest) == k && o > nearest[k-1] {
						continue
					}
					at, _ := slices.BinarySearch(nearest, o)
					nearest = slices.Insert(nearest, at, o)
					nearest = nearest[:min(k, len(nearest))]
				}
				for r, o := range nearest {
					neighbours[i*k+r] = int32(uint32(o))
				}
			}
		})
		return neighbours
	}), nil
}

// order is a number that sorts by a distance, not below 0, and then by a place.
func order(distance float32, place int) uint64 {
	return uint64(math.Float32bits(distance))<<32 | uint64(uint32(place))
}
