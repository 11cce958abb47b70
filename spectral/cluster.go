package spectral

import (
	"cmp"
	"context"
	"fmt"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Options are the options of [Cluster] and [Split]. The zero value asks for the paper's
// unnormalised Laplacian and the number of clusters by the eigengap.
type Options struct {
	K          int        // clusters; 0 takes the eigengap. The paper took 40 in conv1 and 100 in conv2-5
	MinK, MaxK int        // range of the eigengap; 0 means 2 and half the vertices with edges
	Laplacian  Laplacian  // whose eigenvectors are clustered
	Assign     Assignment // method that makes clusters of the eigenvectors
	Seed       uint64     // of k-means
	Restarts   int        // of k-means; 0 means 10
	Threads    int        // 0 means all cores
}

// Clustering is the result of [Cluster] or [Split].
type Clustering struct {
	Labels     []int     // cluster of each vertex, canonical; -1 for isolated vertices
	K          int       // number of clusters
	Isolated   []int     // vertices without any edge: in no cluster
	Components int       // connected components, isolated vertices not counted
	Values     []float64 // rising eigenvalues of the graph without its isolated vertices: all, or the first K if that was given
	Residuals  []float64 // of the eigenvectors used: see Spectrum
	Inertia    float64   // of k-means on those eigenvectors' rows; 0 for pivoted QR
}

// Groups returns the vertices of each cluster, in rising order.
func (c *Clustering) Groups() [][]int { return members(c.Labels, c.K) }

// Cluster returns the spectral clustering of the vertices of graph m: k-means on the rows
// of the eigenvectors of the K smallest eigenvalues of its Laplacian (the paper's many to
// many; von Luxburg, "A tutorial on spectral clustering", 2007). With [Symmetric] the rows
// are first scaled to norm 1, as Ng, Jordan and Weiss do.
//
// Isolated vertices are set aside, since each would take an eigenvector and a
// cluster for itself. The clusters asked for are at least one per connected
// component, for below that the eigenvectors are not determined, and at most one
// per vertex; Clustering.K says how many there are.
//
// It returns an error if a weight is negative or not finite, a *[WeightError], if an option is
// negative, or if the context ends, at which it looks between steps: iterations of the
// eigenvectors and of k-means, or one decomposition. It panics if a kind is none.
//
// It takes k n² steps for k clusters of n vertices where k is given and small beside n, else n³
// (see [Smallest]), and for k-means 10 k² n for each iteration.
//
// See also [Split], [Similarity], [Silhouette] and [Stability].
func Cluster(ctx context.Context, m mat.Symmetric, o Options) (*Clustering, error) {
	g := toWeights(m)
	if min(o.K, o.MinK, o.MaxK, o.Restarts) < 0 {
		return nil, fmt.Errorf("spectral: %d clusters, in a range of %d to %d, by %d restarts: want none below 0", o.K, o.MinK, o.MaxK, o.Restarts)
	}
	if o.Assign != KMeansAssignment && o.Assign != PivotedQRAssignment {
		panic(badKind)
	}
	if err := check(g, 0); err != nil {
		return nil, err
	}
	c, connected := newClustering(g)
	if len(connected) == 0 {
		return c, nil
	}
	if len(c.Isolated) > 0 {
		g = g.subgraph(connected)
	}
	_, c.Components = components(g)
	s, err := c.decompose(ctx, g, o)
	if err != nil {
		return nil, err
	}
	labels, err := c.assign(ctx, s, o)
	if err != nil {
		return nil, err
	}
	for i, v := range connected {
		c.Labels[v] = labels[i]
	}
	return c, nil
}

// newClustering returns a clustering of g with its isolated vertices, and the other
// vertices.
func newClustering(g *weights) (c *Clustering, connected []int) {
	c = &Clustering{Labels: make([]int, g.n)}
	for i, d := range degrees(g) {
		if d > 0 {
			connected = append(connected, i)
		} else {
			c.Labels[i] = -1
			c.Isolated = append(c.Isolated, i)
		}
	}
	return c, connected
}

// decompose computes the spectrum of g, which has no isolated vertex, and from it the
// number of clusters.
func (c *Clustering) decompose(ctx context.Context, g *weights, o Options) (s *Spectrum, err error) {
	if o.K > 0 {
		c.K = min(max(o.K, c.Components), g.n)
		s, err = Smallest(ctx, g, o.Laplacian, c.K, o.Threads)
	} else {
		// Components have two vertices or more, so minK < n throughout.
		minK, maxK := cmp.Or(o.MinK, 2), cmp.Or(o.MaxK, g.n/2)
		minK = max(min(minK, g.n-1), c.Components)
		maxK = max(min(maxK, g.n-1), minK)
		if s, err = Decompose(ctx, g, o.Laplacian, maxK, o.Threads); err == nil {
			c.K = Eigengap(s.Values, minK, maxK)
		}
	}
	if err != nil {
		return nil, err
	}
	c.Values, c.Residuals = s.Values, s.Residuals[:c.K]
	return s, nil
}

// assign returns the labels of the rows of the first K eigenvectors.
func (c *Clustering) assign(ctx context.Context, s *Spectrum, o Options) (labels []int, err error) {
	n, _ := s.Vectors.Dims()
	vectors := s.Vectors.Slice(0, n, 0, c.K)
	if o.Assign == PivotedQRAssignment {
		labels, err = PivotedQR(vectors)
		c.K = clusterCount(labels)
		return labels, err
	}
	rows := mat.DenseCopyOf(vectors)
	if o.Laplacian == Symmetric {
		for i := range n {
			if row := rows.RawRowView(i); floats.Norm(row, 2) > 0 {
				floats.Scale(1/floats.Norm(row, 2), row)
			}
		}
	}
	labels, c.Inertia, err = KMeans(ctx, rows, c.K, KMeansOptions{Restarts: o.Restarts, Seed: o.Seed, Threads: o.Threads})
	return labels, err
}
