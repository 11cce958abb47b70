package spectral

import (
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Options steers [Cluster] and [Split]. The zero value asks for the paper's
// unnormalised Laplacian and as many clusters as the eigengap says.
type Options struct {
	K          int        // clusters; 0 takes the eigengap. The paper took 40 in conv1 and 100 in conv2-5
	MinK, MaxK int        // range of the eigengap; 0 means 2 and half the vertices with edges
	Laplacian  Laplacian  // which matrix's eigenvectors are clustered
	Assign     Assignment // what makes clusters of the eigenvectors
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

// Cluster divides the vertices of graph m by k-means on the rows of the eigenvectors of
// the K smallest eigenvalues of its Laplacian (the paper's many to many; von Luxburg,
// "A tutorial on spectral clustering", 2007). With [Symmetric] the rows are first
// scaled to norm 1, as Ng, Jordan and Weiss do.
//
// Isolated vertices are set aside, since each would take an eigenvector and a
// cluster for itself. The clusters asked for are at least one per connected
// component, for below that the eigenvectors are not determined, and at most one
// per vertex; Clustering.K says how many there are.
//
// It returns an error if a weight is negative or not finite, and panics on
// negative options.
func Cluster(m mat.Symmetric, o Options) (*Clustering, error) {
	g := flat(m)
	if o.K < 0 || o.MinK < 0 || o.MaxK < 0 || o.Restarts < 0 {
		panic(badOptions)
	}
	if o.Assign != ByKMeans && o.Assign != ByPivotedQR {
		panic(badKind)
	}
	if err := check(g, 0); err != nil {
		return nil, err
	}
	c := &Clustering{Labels: make([]int, g.SymmetricDim())}
	var live []int
	for i, d := range degrees(g) {
		if d > 0 {
			live = append(live, i)
		} else {
			c.Labels[i] = -1
			c.Isolated = append(c.Isolated, i)
		}
	}
	n := len(live)
	if n == 0 {
		return c, nil
	}
	sub := g
	if len(c.Isolated) > 0 {
		sub = g.sub(live)
	}
	_, c.Components = componentsOf(sub)

	// Components have two vertices or more, so low < n throughout.
	low, high := o.MinK, o.MaxK
	if low == 0 {
		low = 2
	}
	if high == 0 {
		high = n / 2
	}
	low = max(min(low, n-1), c.Components)
	high = max(min(high, n-1), low)
	if o.K > 0 {
		high = min(max(o.K, c.Components), n)
	}
	var s *Spectrum
	var err error
	if o.K > 0 {
		s, err = Smallest(sub, o.Laplacian, high, o.Threads)
	} else {
		s, err = decompose(sub, o.Laplacian, high, o.Threads)
	}
	if err != nil {
		return nil, err
	}
	c.K = high
	if o.K == 0 {
		c.K = Eigengap(s.Values, low, high)
	}
	c.Values, c.Residuals = s.Values, s.Residuals[:c.K]

	rows := mat.DenseCopyOf(s.Vectors.Slice(0, n, 0, c.K))
	if o.Laplacian == Symmetric {
		for i := range n {
			if row := rows.RawRowView(i); floats.Norm(row, 2) > 0 {
				floats.Scale(1/floats.Norm(row, 2), row)
			}
		}
	}
	var labels []int
	if o.Assign == ByPivotedQR {
		labels, err = PivotedQR(s.Vectors.Slice(0, n, 0, c.K))
		c.K = clusters(labels)
	} else {
		labels, c.Inertia, err = KMeans(rows, c.K, KMeansOptions{Restarts: o.Restarts, Seed: o.Seed, Threads: o.Threads})
	}
	if err != nil {
		return nil, err
	}
	for i, v := range live {
		c.Labels[v] = labels[i]
	}
	return c, nil
}
