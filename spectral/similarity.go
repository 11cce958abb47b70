package spectral

import "gonum.org/v1/gonum/mat"

// Group is a cluster of the units of two networks A and B, with the paper's similarities
// of its units in two normalisations: the mean over pairs, which makes clusters of any size
// comparable, and the paper's, which divides the sum by the squared number of units per
// network (for networks of different width, by the product of the widths that the pairs
// come from).
type Group struct {
	A, B []int // units of each network, rising

	// BetweenNet is the mean correlation of an A unit with a B unit of the group, 0
	// if it has units of one network only.
	BetweenNet      float64
	BetweenNetPaper float64

	// WithinNet is the mean over the networks present of the mean correlation of two
	// different units; a network's single unit counts 1, as alike to itself.
	// WithinNetPaper sums over all pairs, a unit with itself included, and averages
	// over both networks, an absent one counting 0.
	WithinNet      float64
	WithinNetPaper float64
}

// Similarity returns the groups of the clusters, in the order of the labels. The
// correlations are those within A (xx, na x na), of A with B (xy, na x nb) and within B (yy,
// nb x nb); labels has na+nb entries in the order of [Combine], negative ones in
// no cluster. It panics if the shapes do not agree.
//
// It takes (na + nb)² steps. See also [Cluster].
func Similarity(xx, xy, yy mat.Matrix, labels []int) []Group {
	na, nb := xy.Dims()
	checkSquare(xx, na)
	checkSquare(yy, nb)
	if len(labels) != na+nb {
		panic(badShape)
	}
	k := clusterCount(labels)
	groups := make([]Group, k)
	a, b := members(labels[:na], k), members(labels[na:], k)
	for l := range groups {
		g := Group{A: a[l], B: b[l]}
		if pairs := len(g.A) * len(g.B); pairs > 0 {
			between := blockSum(xy, g.A, g.B)
			g.BetweenNet = between / float64(pairs)
			g.BetweenNetPaper = between / float64(na*nb)
		}
		networks := 0
		for _, net := range []struct {
			corr  mat.Matrix
			units []int
			width int
		}{{xx, g.A, na}, {yy, g.B, nb}} {
			m := len(net.units)
			if m == 0 {
				continue
			}
			networks++
			sum := blockSum(net.corr, net.units, net.units)
			g.WithinNetPaper += float64(sum / float64(net.width*net.width) / 2)
			if m == 1 {
				g.WithinNet++
				continue
			}
			for _, i := range net.units {
				sum -= net.corr.At(i, i)
			}
			g.WithinNet += sum / float64(m*(m-1))
		}
		g.WithinNet /= float64(max(networks, 1))
		groups[l] = g
	}
	return groups
}

// blockSum returns the sum of the entries of m at the given rows and columns.
func blockSum(m mat.Matrix, rows, cols []int) float64 {
	var s float64
	for _, i := range rows {
		for _, j := range cols {
			s += m.At(i, j)
		}
	}
	return s
}
