package finding

import (
	"cmp"
	"errors"
	"slices"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
)

// clusterDraws is how many random groups stand beside each cluster.
const clusterDraws = 20

// angles compares the spans of both networks' units in each cluster.
func (l *layer) angles(s *results.Subspaces) error {
	pairs := len(l.result.Pairs)
	observed, counts := make([]float64, pairs), make([]float64, pairs)
	chance := make([][]float64, pairs)
	err := l.eachPair(func(k int, p *results.Pair) (err error) {
		observed[k], counts[k], chance[k], err = l.clusterAngles(k, p)
		return err
	})
	s.ClusterSizes = clusterSizes(l.result.Pairs)
	if errors.Is(err, corr.ErrTooFewObservations) {
		return nil // any spaces meet in so few observations
	}
	if err != nil {
		return err
	}
	var total float64
	for k := range observed {
		total += counts[k]
	}
	if total == 0 {
		return nil // no cluster has units of both networks
	}
	null := corr.Null{Draws: make([]float64, clusterDraws)}
	value := 0.0
	means := make([]float64, pairs)
	for k := range observed {
		value += observed[k] / total
		means[k] = observed[k] / counts[k] // NaN, without weight, of no cluster
		for d := range null.Draws {
			null.Draws[d] += chance[k][d] / total
		}
	}
	s.Angles = &results.Measure{Value: results.Finite(value), Networks: l.overNetworks(means, counts), Null: results.Finite(null.Mean()), P: results.Finite(null.PValue(value))}
	return nil
}

// clusterAngles returns the sum and number of the canonical correlations in the clusters of
// a pair of networks, and the sums of random groups of the same sizes.
func (l *layer) clusterAngles(k int, p *results.Pair) (sum, count float64, chance []float64, err error) {
	c := pairOf(l.Moments, p)
	rnd := random(l.Seed, randomCluster, k)
	chance = make([]float64, clusterDraws)
	for _, cluster := range p.Clusters {
		if len(cluster.A) == 0 || len(cluster.B) == 0 {
			continue
		}
		s, n, err := canonical(c, places(c.UnitsA, cluster.A), places(c.UnitsB, cluster.B))
		if err != nil {
			return 0, 0, nil, err
		}
		sum += s
		count += n
		for d := range chance {
			s, _, err := canonical(c, rnd.Perm(len(c.UnitsA))[:len(cluster.A)], rnd.Perm(len(c.UnitsB))[:len(cluster.B)])
			if err != nil {
				return 0, 0, nil, err
			}
			chance[d] += s
		}
	}
	return sum, count, chance, nil
}

// clusterSizes counts clusters by their numbers of units, in means over pairs.
func clusterSizes(pairs []results.Pair) []results.ClusterSize {
	counts := make(map[[2]int]float64)
	for _, p := range pairs {
		for _, c := range p.Clusters {
			counts[[2]int{len(c.A), len(c.B)}] += 1 / float64(len(pairs))
		}
	}
	sizes := []results.ClusterSize{}
	for size, n := range counts {
		sizes = append(sizes, results.ClusterSize{A: size[0], B: size[1], Count: n})
	}
	slices.SortFunc(sizes, func(x, y results.ClusterSize) int { return cmp.Or(cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B)) })
	return sizes
}

// canonical returns the sum and number of the canonical correlations between the spans
// of some units.
func canonical(c *corr.Pair, a, b []int) (sum, n float64, err error) {
	rho, err := c.Select(a, b).CCA()
	for _, r := range rho {
		sum += r
	}
	return sum, float64(len(rho)), err
}

// places are those of units in a rising list.
func places(list, units []int) []int {
	at := make([]int, len(units))
	for i, u := range units {
		at[i], _ = slices.BinarySearch(list, u)
	}
	return at
}
