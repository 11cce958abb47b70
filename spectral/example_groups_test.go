package spectral_test

import (
	"context"
	"fmt"
	"log"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/spectral"
)

// Three networks of two units each, of which the first units are alike, and the second ones.
func ExampleCombineAll() {
	within := mat.NewDense(2, 2, []float64{1, 0.1, 0.1, 1})
	between := mat.NewDense(2, 2, []float64{0.8, 0, 0, 0.7})
	joint := spectral.CombineAll([][]mat.Matrix{{within, between, between}, {within, between}, {within}})
	c, err := spectral.Cluster(context.Background(), spectral.Affinity(nil, joint, spectral.Rule{}), spectral.Options{K: 2})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.Groups())
	// Output: [[0 2 4] [1 3 5]]
}

// The mean correlations of the units of each cluster, between networks and within.
func ExampleSimilarity() {
	within := mat.NewDense(2, 2, []float64{1, 0.4, 0.4, 1})
	between := mat.NewDense(2, 2, []float64{0.8, 0.6, 0.6, 0.8})
	for _, g := range spectral.Similarity(within, between, within, []int{0, 0, 0, 0}) {
		fmt.Printf("%v with %v: between %.2f, within %.2f\n", g.A, g.B, g.BetweenNet, g.WithinNet)
	}
	// Output: [0 1] with [0 1]: between 0.70, within 0.40
}

// Points on a line in two groups.
func ExampleKMeans() {
	labels, inertia, err := spectral.KMeans(context.Background(), mat.NewDense(5, 1, []float64{0, 1, 8, 9, 10}), 2, spectral.KMeansOptions{})
	fmt.Println(labels, inertia, err)
	// Output: [0 0 1 1 1] 2.5 <nil>
}

// How well each point lies in its group: the last one would rather be in the other.
func ExampleSilhouette() {
	x := []float64{0, 1, 9, 10, 3}
	distances := mat.NewSymDense(5, nil)
	for i, a := range x {
		for j, b := range x[:i] {
			distances.SetSym(i, j, max(a-b, b-a))
		}
	}
	fmt.Printf("%.1f\n", spectral.Silhouette(distances, []int{0, 0, 1, 1, 1}))
	// Output: [0.9 0.8 0.6 0.6 -0.6]
}
