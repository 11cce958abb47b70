package study

import (
	"cmp"
	"slices"

	"github.com/convergent-go/convergent/corr"
)

// groupDraws is how many random groups stand beside each cluster.
const groupDraws = 20

// angles compares the spans of both networks' units in each cluster.
func (f *findings) angles(s *Subspaces) error {
	pairs := len(f.layer.Pairs)
	observed, counts := make([]float64, pairs), make([]float64, pairs)
	chance := make([][]float64, pairs)
	err := f.eachPair(func(k int, p *Pair) error {
		c := pairOf(f.moments, p)
		rnd := f.random(k)
		chance[k] = make([]float64, groupDraws)
		for _, cluster := range p.Clusters {
			if len(cluster.A) == 0 || len(cluster.B) == 0 {
				continue
			}
			sum, n, err := canonical(c, places(c.UnitsA, cluster.A), places(c.UnitsB, cluster.B))
			if err != nil {
				return err
			}
			observed[k] += sum
			counts[k] += n
			for d := range chance[k] {
				sum, _, err := canonical(c, rnd.Perm(len(c.UnitsA))[:len(cluster.A)], rnd.Perm(len(c.UnitsB))[:len(cluster.B)])
				if err != nil {
					return err
				}
				chance[k][d] += sum
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	var total float64
	null := corr.Null{Draws: make([]float64, groupDraws)}
	var each []float64
	for k := range observed {
		total += counts[k]
		if counts[k] > 0 {
			each = append(each, observed[k]/counts[k])
		}
	}
	if total == 0 {
		return nil // no cluster has units of both networks
	}
	value := 0.0
	for k := range observed {
		value += observed[k] / total
		for d := range null.Draws {
			null.Draws[d] += chance[k][d] / total
		}
	}
	s.Angles = &Measure{Value: Finite(value), Low: Finite(slices.Min(each)), High: Finite(slices.Max(each)), Null: Finite(null.Mean()), P: Finite(null.PValue(value))}
	cells := make(map[[2]int]float64)
	for _, p := range f.layer.Pairs {
		for _, c := range p.Clusters {
			cells[[2]int{len(c.A), len(c.B)}] += 1 / float64(pairs)
		}
	}
	for size, n := range cells {
		s.Together = append(s.Together, Cell{A: size[0], B: size[1], Count: n})
	}
	slices.SortFunc(s.Together, func(x, y Cell) int { return cmp.Or(cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B)) })
	return nil
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

// places finds units in a rising list.
func places(list, units []int) []int {
	at := make([]int, len(units))
	for i, u := range units {
		at[i], _ = slices.BinarySearch(list, u)
	}
	return at
}
