package match

import (
	"context"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// TestLassoManySources predicts from 4,096 units whose correlations fall with distance.
func TestLassoManySources(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const p, targets = 4096, 3
	correlation := func(i, j int) float64 { return math.Pow(0.9, math.Abs(float64(i-j))) }
	sxx, sxy := mat.NewDense(p, p, nil), mat.NewDense(p, targets, nil)
	for i := range p {
		for j := range p {
			sxx.Set(i, j, correlation(i, j))
		}
		for j := range targets { // each a mean of two sources, and noise
			sxy.Set(i, j, 0.4*correlation(i, 1000*(j+1))+0.4*correlation(i, 700*(j+1)))
		}
	}
	fits, err := Lasso(context.Background(), sxx, sxy, LassoOptions{Lambdas: []float64{0.2, 0.02}, KeepWeights: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fits {
		for j := range targets {
			if f.Gap[j] > 1e-9 {
				t.Errorf("lambda %v, target %d: gap %v", f.Lambda, j, f.Gap[j])
			}
			for _, source := range []int{1000 * (j + 1), 700 * (j + 1)} {
				if w := f.W.At(source, j); math.Abs(w-0.4) > 2*f.Lambda {
					t.Errorf("lambda %v: the weight of source %d in target %d is %v", f.Lambda, source, j, w)
				}
			}
		}
	}
}
