package spectral

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// NormalizedCut returns the sum over clusters of the weight of the edges that leave a
// cluster, divided by the summed degrees of its vertices (Shi and Malik, 2000): what
// spectral clustering by the normalised Laplacians looks for the least of. It is 0 for
// clusters without an edge between them and below the number of clusters. Vertices of
// negative label are in no cluster, but edges to them leave one; a cluster without
// edges counts 0. Labels are one per vertex, another number of them panics.
func NormalizedCut(m mat.Symmetric, labels []int) float64 {
	g := flat(m)
	if len(labels) != g.n {
		panic(badShape)
	}
	k := clusters(labels)
	leaving, volume := make([]float64, k), make([]float64, k)
	for i, l := range labels {
		if l < 0 {
			continue
		}
		for j, w := range g.row(i) {
			if j == i {
				continue
			}
			volume[l] += w
			if labels[j] != l {
				leaving[l] += w
			}
		}
	}
	var cut float64
	for l, v := range volume {
		if v > 0 {
			cut += leaving[l] / v
		}
	}
	return cut
}

// Silhouette returns, for each of n items with the given n x n distances, (b - a) /
// max(a, b), where a is its mean distance to the others of its cluster and b that to
// the nearest other cluster (Rousseeuw, 1987): near 1 well inside, below 0 nearer to
// another cluster than to its own. It is 0 for an item that is alone in its cluster or
// at no distance from both, and where there is only one cluster. Items of negative
// label are left out and get NaN. It panics on another number of labels.
func Silhouette(distances mat.Symmetric, labels []int) []float64 {
	g := flat(distances)
	if len(labels) != g.n {
		panic(badShape)
	}
	k := clusters(labels)
	size := make([]int, k)
	for _, l := range labels {
		if l >= 0 {
			size[l]++
		}
	}
	s := make([]float64, g.n)
	total := make([]float64, k) // distance to each cluster
	for i, own := range labels {
		if own < 0 {
			s[i] = math.NaN()
			continue
		}
		clear(total)
		for j, d := range g.row(i) {
			if labels[j] >= 0 && j != i {
				total[labels[j]] += d
			}
		}
		near := math.Inf(1)
		for l, t := range total {
			if l != own && size[l] > 0 {
				near = min(near, t/float64(size[l]))
			}
		}
		if size[own] < 2 || math.IsInf(near, 1) {
			continue
		}
		inner := total[own] / float64(size[own]-1)
		if most := max(inner, near); most > 0 {
			s[i] = (near - inner) / most
		}
	}
	return s
}

// clusters returns how many labels there may be: one more than the largest.
func clusters(labels []int) int {
	k := 0
	for _, l := range labels {
		k = max(k, l+1)
	}
	return k
}

// AdjustedRand returns how far two partitions of the same items agree: the share of
// pairs of items that both put together or both put apart, less what is expected by
// chance for clusters of these sizes, scaled so that equal partitions have 1 (Hubert
// and Arabie, 1985). It is about 0 for unrelated partitions and can be negative. Items
// with a negative label in either are left out; two partitions that both have one
// cluster, or both only clusters of one item, or no items, agree. It panics if the
// lengths differ.
func AdjustedRand(a, b []int) float64 {
	if len(a) != len(b) {
		panic(badShape)
	}
	both, ofA, ofB := make(map[[2]int]int), make(map[int]int), make(map[int]int)
	n := 0
	for i := range a {
		if a[i] < 0 || b[i] < 0 {
			continue
		}
		n++
		both[[2]int{a[i], b[i]}]++
		ofA[a[i]]++
		ofB[b[i]]++
	}
	together, inA, inB := pairs(both), pairs(ofA), pairs(ofB)
	chance := inA / max(pairs(map[int]int{0: n}), 1) * inB
	if inA == together && inB == together {
		return 1
	}
	return (together - chance) / ((inA+inB)/2 - chance)
}

// pairs counts those within groups: whole numbers, so that order changes nothing.
func pairs[K comparable](sizes map[K]int) float64 {
	var s float64
	for _, n := range sizes {
		s += float64(n) * float64(n-1) / 2
	}
	return s
}

// Stability clusters graphs of other samples of the same vertices, as many as draws, as
// Cluster does, and returns the adjusted Rand index of each with the given clustering:
// how far it is a property of the units and not of the observations. resampled makes
// the graph of a draw, such as of the correlations over images drawn with replacement.
// K is that of the clustering unless the options name another. It returns the first
// error of resampled or Cluster.
func Stability(c *Clustering, o Options, draws int, resampled func(draw int) (mat.Symmetric, error)) ([]float64, error) {
	if o.K == 0 {
		o.K = c.K
	}
	indices := make([]float64, draws)
	for d := range indices {
		g, err := resampled(d)
		if err != nil {
			return nil, err
		}
		other, err := Cluster(g, o)
		if err != nil {
			return nil, err
		}
		indices[d] = AdjustedRand(c.Labels, other.Labels)
	}
	return indices, nil
}
