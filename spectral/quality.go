package spectral

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// NormalizedCut returns the sum over clusters of the weight of the edges that leave a
// cluster, divided by the summed degrees of its vertices (Shi and Malik, 2000): the
// objective of which spectral clustering by the normalised Laplacians is a relaxation. It
// is 0 for clusters without an edge between them and below the number of clusters.
// Vertices of negative label are in no cluster, but edges to them leave one; a cluster
// without edges counts 0. It panics unless there is one label per vertex.
//
// It takes n² steps. See also [Silhouette].
func NormalizedCut(m mat.Symmetric, labels []int) float64 {
	g := toWeights(m)
	if len(labels) != g.n {
		panic(badShape)
	}
	k := clusterCount(labels)
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
	g := toWeights(distances)
	if len(labels) != g.n {
		panic(badShape)
	}
	k := clusterCount(labels)
	size := make([]int, k)
	for _, l := range labels {
		if l >= 0 {
			size[l]++
		}
	}
	s := make([]float64, g.n)
	total := make([]float64, k) // distance to each cluster
	for i, label := range labels {
		if label < 0 {
			s[i] = math.NaN()
			continue
		}
		clear(total)
		for j, d := range g.row(i) {
			if labels[j] >= 0 && j != i {
				total[labels[j]] += d
			}
		}
		nearest := math.Inf(1)
		for l, t := range total {
			if l != label && size[l] > 0 {
				nearest = min(nearest, t/float64(size[l]))
			}
		}
		if size[label] < 2 || math.IsInf(nearest, 1) {
			continue
		}
		inner := total[label] / float64(size[label]-1)
		if scale := max(inner, nearest); scale > 0 {
			s[i] = (nearest - inner) / scale
		}
	}
	return s
}

// clusterCount returns the number of clusters: one more than the largest label.
func clusterCount(labels []int) int {
	k := 0
	for _, l := range labels {
		k = max(k, l+1)
	}
	return k
}

// AdjustedRand returns the adjusted Rand index of two partitions of the same items: the
// share of pairs of items on which they agree, joined in both or separate in both, less
// its expectation by chance for clusters of these sizes, scaled so that equal partitions
// have 1 (Hubert and Arabie, 1985). It is about 0 for unrelated partitions and can be
// negative. Items with a negative label in either are left out. It is 1 for two partitions
// that both have one cluster, or only clusters of one item, or no items. It panics if the
// lengths differ.
func AdjustedRand(a, b []int) float64 {
	if len(a) != len(b) {
		panic(badShape)
	}
	joint, sizesA, sizesB := make(map[[2]int]int), make(map[int]int), make(map[int]int)
	n := 0
	for i := range a {
		if a[i] < 0 || b[i] < 0 {
			continue
		}
		n++
		joint[[2]int{a[i], b[i]}]++
		sizesA[a[i]]++
		sizesB[b[i]]++
	}
	jointPairs, pairsA, pairsB := pairCount(joint), pairCount(sizesA), pairCount(sizesB)
	chance := pairsA / max(pairCount(map[int]int{0: n}), 1) * pairsB
	if pairsA == jointPairs && pairsB == jointPairs {
		return 1
	}
	return (jointPairs - chance) / ((pairsA+pairsB)/2 - chance)
}

// pairCount returns the number of pairs within groups, a sum of whole numbers, which does
// not depend on the order.
func pairCount[K comparable](sizes map[K]int) float64 {
	var s float64
	for _, n := range sizes {
		s += float64(float64(n) * float64(n-1) / 2)
	}
	return s
}

// Stability returns the adjusted Rand index of the given clustering with the clustering of
// each of several graphs of the same vertices over other samples, by [Cluster]: the index is
// high where clusters are a property of the units and not of the observations. resampled
// makes the graph of a draw, such as that of the correlations over images drawn with
// replacement. K is that of the clustering unless the options name another. It returns the
// first error of resampled or Cluster, and fewer draws than 0 are an error. A draw takes what
// Cluster does.
//
// See also [AdjustedRand].
func Stability(ctx context.Context, c *Clustering, o Options, draws int, resampled func(draw int) (mat.Symmetric, error)) ([]float64, error) {
	if o.K == 0 {
		o.K = c.K
	}
	if draws < 0 {
		return nil, fmt.Errorf("spectral: a stability of %d draws", draws)
	}
	indices := make([]float64, draws)
	for d := range indices {
		g, err := resampled(d)
		if err != nil {
			return nil, err
		}
		clustering, err := Cluster(ctx, g, o)
		if err != nil {
			return nil, err
		}
		indices[d] = AdjustedRand(c.Labels, clustering.Labels)
	}
	return indices, nil
}
