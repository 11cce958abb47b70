package match_test

import (
	"context"
	"fmt"
	"log"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/match"
)

// Correlations of three units of one network with four of another.
var between = mat.NewDense(3, 4, []float64{
	0.9, 0.8, 0.1, 0.0,
	0.8, 0.2, 0.1, 0.3,
	0.1, 0.1, 0.2, 0.6,
})

func ExampleSemiMatching() {
	m, err := match.SemiMatching(between)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Partner, m.R)
	fmt.Printf("mean %.3f\n", m.Mean)
	// Output:
	// [0 0 3] [0.9 0.8 0.6]
	// mean 0.767
}

func ExampleBipartite() {
	m, err := match.Bipartite(between)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Partner, m.R)
	fmt.Printf("mean %.3f\n", m.Mean)
	fmt.Println("proof:", m.Verify(between, 1e-12))
	// Output:
	// [1 0 3] [0.8 0.8 0.6]
	// mean 0.733
	// proof: <nil>
}

// A unit that is the sum of two uncorrelated ones, and of nothing else, is
// predicted from these two alone.
func ExampleLasso() {
	within := mat.NewDense(3, 3, []float64{
		1, 0, 0.3,
		0, 1, 0.3,
		0.3, 0.3, 1,
	})
	between := mat.NewDense(3, 1, []float64{0.7, 0.7, 0.42})
	fits, err := match.Lasso(context.Background(), within, between, match.LassoOptions{
		Lambdas:     []float64{0.8, 0.4, 0.1},
		KeepWeights: true,
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range fits {
		fmt.Printf("lambda %.1f: R2 %.2f, %d weights %.2f\n", f.Lambda, f.R2[0], f.NonZero[0][0], mat.Col(nil, 0, f.W))
	}
	// Output:
	// lambda 0.8: R2 0.00, 0 weights [0.00 0.00 0.00]
	// lambda 0.4: R2 0.66, 2 weights [0.30 0.30 0.00]
	// lambda 0.1: R2 0.96, 2 weights [0.60 0.60 0.00]
}

func ExampleMutual() {
	pairs, err := match.Mutual(between, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(pairs)
	// Output:
	// [{0 0 0.9} {2 3 0.6}]
}

// The largest value first costs the second unit its only good partner.
func ExampleGreedy() {
	m, err := match.Greedy(between)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Partner, m.R)
	fmt.Printf("mean %.3f\n", m.Mean)
	// Output:
	// [0 1 3] [0.9 0.2 0.6]
	// mean 0.567
}

// Each of three units gives a third in all, each of four takes a quarter.
func ExampleSoftMatching() {
	s, err := match.SoftMatching(context.Background(), between)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.3f\n", mat.Formatted(s.Plan))
	fmt.Printf("mean %.3f\n", s.Mean)
	fmt.Println("proof:", s.Verify(between, 1e-12))
	// Output:
	// ⎡0.083  0.250  0.000  0.000⎤
	// ⎢0.167  0.000  0.167  0.000⎥
	// ⎣0.000  0.000  0.083  0.250⎦
	// mean 0.592
	// proof: <nil>
}

// Of three sources, the target is mostly the sum of two.
func ExampleLassoSizes() {
	sxx := mat.NewDense(3, 3, []float64{1, 0, 0.5, 0, 1, 0.5, 0.5, 0.5, 1})
	sxy := mat.NewDense(3, 1, []float64{0.6, 0.5, 0.58})
	fits, err := match.LassoSizes(context.Background(), sxx, sxy, []int{1, 2, 3}, match.LassoOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range fits {
		fmt.Printf("%d sources: R2 %.2f\n", f.NonZero[0][0], f.R2[0])
	}
	// Output:
	// 1 sources: R2 0.05
	// 2 sources: R2 0.17
	// 3 sources: R2 0.61
}
