package spectral

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Split returns the clustering of graph m by [Cluster] in which each cluster of more than
// 2*alpha*S units, S being the units of one network, is divided recursively (the paper's
// recursive clustering). The paper used alpha = 0.025 in conv2, which alpha = 0 means here.
//
// The paper leaves two points open. S is read as half the vertices of m, the
// graph of two networks, so the limit is alpha times the vertices, and never
// below 1. A cluster of m units is divided, by the spectrum of the edges within
// it, into ceil(m/limit) parts, the least number that can be small enough; units without
// an edge to others of their cluster become clusters of their own. Every division thus
// leaves two or more parts that are not empty, so the recursion ends.
//
// Labels and K of the result are those after the divisions, all else describes
// the first clustering. Errors and panics are Cluster's, and alpha is an error if it
// is negative or NaN. A division takes what Cluster does for its vertices.
func Split(ctx context.Context, m mat.Symmetric, o Options, alpha float64) (*Clustering, error) {
	g := toWeights(m)
	if !(alpha >= 0) {
		return nil, fmt.Errorf("spectral: alpha %v; want 0 for 0.025, or more", alpha)
	}
	if alpha == 0 {
		alpha = 0.025
	}
	limit := max(1, alpha*float64(g.SymmetricDim()))
	c, err := Cluster(ctx, g, o)
	if err != nil {
		return nil, err
	}
	for pending := c.Groups(); len(pending) > 0; {
		group := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		if float64(len(group)) <= limit {
			continue
		}
		o.K = int(math.Ceil(float64(len(group)) / limit))
		parts, err := Cluster(ctx, g.subgraph(group), o)
		if err != nil {
			return nil, err
		}
		for i, l := range parts.Labels {
			if l < 0 { // isolated
				l = parts.K
				parts.K++
			}
			parts.Labels[i] = l
			c.Labels[group[i]] = c.K + l
		}
		c.K += parts.K
		for _, part := range parts.Groups() {
			for i, v := range part {
				part[i] = group[v]
			}
			pending = append(pending, part)
		}
	}
	c.K = canonicalize(c.Labels)
	return c, nil
}
