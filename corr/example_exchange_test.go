package corr_test

import (
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/corr"
)

// Canonical variables that a fit to few samples finds in unrelated data correlate no more in
// other samples.
func ExamplePair_CanonicalDirections() {
	rnd := rand.New(rand.NewPCG(1, 2))
	pair := func() *corr.Pair {
		const samples, units = 60, 10
		x, y := make([]float32, samples*units), make([]float32, samples*units)
		for i := range x {
			x[i], y[i] = float32(rnd.NormFloat64()), float32(rnd.NormFloat64())
		}
		m := corr.NewMoments(units, units)
		if err := m.Add(samples, x, y); err != nil {
			panic(err)
		}
		return m.Pair(0, 1)
	}
	fit, test := pair(), pair()
	a, b, err := fit.CanonicalDirections()
	if err != nil {
		panic(err)
	}
	fmt.Printf("fitted %.1f, of other samples %.1f\n", fit.Basis(a, b).Correlation().At(0, 0), test.Basis(a, b).Correlation().At(0, 0))
	// Output:
	// fitted 0.6, of other samples -0.1
}

// The covariances of networks of which one sees the samples in another order leave what is
// within them as it is.
func ExamplePair_WithBetween() {
	x, y := []float64{-1, 0, 1}, []float64{-1, 1, 0}
	covariance := func(order ...int) *mat.Dense {
		var s float64
		for i, v := range x {
			s += v * y[order[i]] / 3
		}
		return mat.NewDense(1, 1, []float64{s})
	}
	variance := mat.NewDense(1, 1, []float64{2. / 3})
	c, err := corr.NewPair(variance, covariance(0, 1, 2), variance, 3)
	if err != nil {
		panic(err)
	}
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 2, 0}} {
		r, err := c.WithBetween(covariance(order...)).MeanMaxCorrelation()
		if err != nil {
			panic(err)
		}
		fmt.Printf("%.1f ", r)
	}
	// Output:
	// 0.5 1.0 -1.0
}
