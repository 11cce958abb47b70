package corr

import (
	"errors"
	"math"
	"slices"

	"github.com/convergent-go/convergent/internal/par"
)

// RSA returns Spearman's rank correlation of the distances between every two samples in
// one network and in the other: representational similarity analysis (Kriegeskorte, Mur
// and Bandettini, "Representational similarity analysis: connecting the branches of
// systems neuroscience", 2008, where distances are those of [CorrelationDistance]). Distances are
// compared as float32, and of equal ones each has the mean of their ranks.
//
// It is in [-1, 1]; symmetric; and invariant to what changes no order of distances: for
// Euclidean ones rotations, shifts and a factor for all features. That of independent
// networks is 0 on average over permutations of samples. Fewer than 3 samples are an error
// that wraps [ErrTooFewObservations], and distances that are all equal are an error.
//
// Of n samples the ranks of each network take 4 n^2 bytes, and 6 n^2 more while they are
// found, once, in n^2 log n steps; n^2/2 steps are left for each permutation. It panics
// beyond 65,536 samples.
//
// See also [GramPair.MutualNeighbours] and [GramPair.CKA].
func (c *GramPair) RSA(d Distance) (float64, error) {
	if err := c.ready(3); err != nil {
		return math.NaN(), err
	}
	a, err := c.a.ranks(c.Threads, d)
	if err != nil {
		return math.NaN(), c.in(0, err)
	}
	b, err := c.b.ranks(c.Threads, d)
	if err != nil {
		return math.NaN(), c.in(1, err)
	}
	sum := c.set.rankProducts(par.Threads(c.Threads), d, c.x, c.y)
	return sum / (math.Sqrt(a.variance) * math.Sqrt(b.variance)), nil
}

// ranks are those of the distances of every two samples.
type ranks struct {
	n              int
	twice          []uint32 // n x n, times 2; what is on the diagonal means nothing
	mean, variance float64  // the latter not divided
}

func (g *Gram) ranks(threads int, d Distance) (*ranks, error) {
	m, err := g.metric(d)
	if err != nil {
		return nil, err
	}
	type key struct{ d Distance }
	r := share(g, key{d}, func() *ranks { return m.ranks(par.Threads(threads)) })
	if r.variance == 0 {
		return nil, errors.New("corr: all distances are equal")
	}
	return r, nil
}

func (m metric) ranks(threads int) *ranks {
	if m.n > 1<<16 {
		panic("corr: too many samples to rank their distances")
	}
	r := &ranks{n: m.n}
	pairs := m.n * (m.n - 1) / 2
	begin := func(i int) int { return i * (2*m.n - i - 1) / 2 } // the place of the pair of sample i and the next
	orders, samples := make([]uint64, pairs), make([]uint32, pairs)
	par.Blocks(threads, m.n, 16, func(lo, hi int) {
		distances := make([]float32, m.n)
		for i := lo; i < hi; i++ {
			m.from(i, i+1, distances[i+1:])
			at := begin(i)
			for k, v := range distances[i+1:] {
				orders[at+k], samples[at+k] = order(v, at+k), uint32(i)
			}
		}
	})
	slices.Sort(orders)
	smallest, largest := math.Float32frombits(uint32(orders[0]>>32)), math.Float32frombits(uint32(orders[pairs-1]>>32))
	if largest-smallest <= 0x1p-20*largest { // rounding makes as much of equal ones
		return r
	}
	r.twice, r.mean = make([]uint32, m.n*m.n), float64(pairs+1)
	for from, to := 0, 0; from < pairs; from = to {
		for to = from; to < pairs && orders[to]>>32 == orders[from]>>32; to++ {
		}
		rank := from + 1 + to
		for _, o := range orders[from:to] {
			i := int(samples[uint32(o)])
			j := int(uint32(o)) - begin(i) + i + 1
			r.twice[i*m.n+j], r.twice[j*m.n+i] = uint32(rank), uint32(rank)
		}
		d := float64(rank) - r.mean
		r.variance += float64(float64(to-from) * d * d)
	}
	return r
}
