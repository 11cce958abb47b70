package match_test

import (
	"context"
	"fmt"
	"log"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/match"
)

// A penalty chosen on two groups of images that the fits have not seen, and the fit without its
// shrinkage.
func ExampleSelectFit() {
	within := mat.NewDense(3, 3, []float64{1, 0, 0.1, 0, 1, 0.1, 0.1, 0.1, 1})
	between := mat.NewDense(3, 1, []float64{0.7, 0.6, 0.2})
	fits, err := match.Lasso(context.Background(), within, between, match.LassoOptions{Lambdas: []float64{0.5, 0.2, 0.05}, KeepWeights: true})
	if err != nil {
		log.Fatal(err)
	}
	var heldOut []match.HeldOut
	for _, r := range []float64{0.05, -0.05} { // by how much other images differ
		heldOut = append(heldOut, match.HeldOut{Sxx: within, Sxy: mat.NewDense(3, 1, []float64{0.7 + r, 0.6, 0.05})})
	}
	s, err := match.SelectFit(fits, heldOut)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("lambda", fits[s.MinLoss].Lambda)
	refit, err := fits[s.MinLoss].Refit(context.Background(), within, between, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("weights %.2f, without shrinkage %.2f\n", mat.Col(nil, 0, fits[s.MinLoss].W), mat.Col(nil, 0, refit.W))
	// Output:
	// lambda 0.05
	// weights [0.65 0.55 0.03], without shrinkage [0.69 0.59 0.07]
}

// A matching proves that it is the best, without the program that found it.
func ExampleMatching_Verify() {
	m, err := match.Bipartite(between)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Verify(between, 1e-12))
	m.Partner[0], m.Partner[1] = m.Partner[1], m.Partner[0]
	fmt.Println(m.Verify(between, 1e-12) != nil)
	// Output:
	// <nil>
	// true
}
