package spectral_test

import (
	"context"
	"fmt"

	"github.com/convergent-go/convergent/spectral"
	"gonum.org/v1/gonum/mat"
)

// Units 0 and 1 of the first network and unit 0 of the second respond alike, and
// so do the two others.
func Example() {
	xx := mat.NewDense(3, 3, []float64{
		1, 0.8, 0.1,
		0.8, 1, -0.2,
		0.1, -0.2, 1,
	})
	yy := mat.NewDense(2, 2, []float64{
		1, 0.1,
		0.1, 1,
	})
	xy := mat.NewDense(3, 2, []float64{
		0.7, 0.0,
		0.9, 0.1,
		0.1, 0.6,
	})
	corr := spectral.Combine(xx, xy, yy)
	g := spectral.Affinity(nil, corr, spectral.Rule{}) // negative correlations clipped
	c, err := spectral.Cluster(context.Background(), g, spectral.Options{K: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range spectral.Similarity(xx, xy, yy, c.Labels) {
		fmt.Printf("A %v, B %v: between %.2f, within %.2f\n", s.A, s.B, s.BetweenNet, s.WithinNet)
	}
	// Output:
	// A [0 1], B [0]: between 0.80, within 0.90
	// A [2], B [1]: between 0.60, within 1.00
}

// Two communities with one weak edge between them; the number of clusters comes
// from the eigengap.
func ExampleCluster() {
	g := mat.NewSymDense(6, []float64{
		0, 1, 1, 0, 0, 0,
		1, 0, 1, 0.1, 0, 0,
		1, 1, 0, 0, 0, 0,
		0, 0.1, 0, 0, 1, 1,
		0, 0, 0, 1, 0, 1,
		0, 0, 0, 1, 1, 0,
	})
	c, err := spectral.Cluster(context.Background(), g, spectral.Options{Laplacian: spectral.Symmetric})
	fmt.Println(c.K, c.Labels, err)
	// Output: 2 [0 0 0 1 1 1] <nil>
}

// Clusters of more than alpha times the vertices are divided again.
func ExampleSplit() {
	g := mat.NewSymDense(6, []float64{
		0, 9, 1, 1, 0, 0,
		9, 0, 1, 1, 0, 0,
		1, 1, 0, 9, 0, 0,
		1, 1, 9, 0, 0, 0,
		0, 0, 0, 0, 0, 9,
		0, 0, 0, 0, 9, 0,
	})
	c, err := spectral.Split(context.Background(), g, spectral.Options{K: 2}, 0.5)
	fmt.Println(c.K, c.Labels, err)
	// Output: 3 [0 0 1 1 2 2] <nil>
}

// The tree over two source units and two target units.
func ExampleAverageLinkage() {
	w := mat.NewDense(2, 2, []float64{
		0.1, 0.9,
		0.7, 0.0,
	})
	tree, err := spectral.AverageLinkage(spectral.MappingGraph(w))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range tree.Merges {
		fmt.Printf("%d + %d at %.3f\n", m.A, m.B, m.Height)
	}
	fmt.Println("order", tree.Order(), "two clusters", tree.Cut(2))
	// Output:
	// 0 + 3 at 0.900
	// 1 + 2 at 0.700
	// 4 + 5 at 0.025
	// order [0 3 1 2] two clusters [0 1 1 0]
}

// A tree over units that correlate, in the order that puts the most alike leaves side
// by side, and as other programs read it.
func ExampleLink() {
	corr := mat.NewSymDense(4, []float64{
		1, 0.25, 0.875, 0.125,
		0.25, 1, 0.375, 0.75,
		0.875, 0.375, 1, 0.25,
		0.125, 0.75, 0.25, 1,
	})
	tree, err := spectral.Link(context.Background(), corr, spectral.LinkageOptions{Method: spectral.Complete})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(tree.OptimalOrder(context.Background(), corr))
	fmt.Println(tree.CutHeight(0.5))
	fmt.Println(tree.Newick([]string{"a", "b", "c", "d"}))
	// Output:
	// [0 2 1 3] <nil>
	// [0 1 0 1]
	// ((a:0.125,c:0.125):0.75,(b:0.25,d:0.25):0.625);
}

// The eigenvalues of a path of four vertices: the first is 0, once for each component.
func ExampleSmallest() {
	path := mat.NewSymDense(4, []float64{
		0, 1, 0, 0,
		1, 0, 1, 0,
		0, 1, 0, 1,
		0, 0, 1, 0,
	})
	s, err := spectral.Smallest(context.Background(), path, spectral.Unnormalized, 2, 0)
	fmt.Printf("%.4f %v\n", s.Values, err)
	// Output: [0.0000 0.5858] <nil>
}

// How well two groups are parted, and whether graphs of other images, here twice the
// same, give them again.
func ExampleStability() {
	g := mat.NewSymDense(4, []float64{
		0, 1, 0.1, 0,
		1, 0, 0, 0.1,
		0.1, 0, 0, 1,
		0, 0.1, 1, 0,
	})
	o := spectral.Options{K: 2, Assign: spectral.PivotedQRAssignment}
	c, err := spectral.Cluster(context.Background(), g, o)
	if err != nil {
		fmt.Println(err)
		return
	}
	rand, err := spectral.Stability(context.Background(), c, o, 2, func(int) (mat.Symmetric, error) { return g, nil })
	fmt.Printf("%v cut %.3f, stability %v %v\n", c.Labels, spectral.NormalizedCut(g, c.Labels), rand, err)
	// Output: [0 0 1 1] cut 0.182, stability [1 1] <nil>
}
