package toomcook

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

// TestMatrices convolves by the matrices and by definition, in float64.
func TestMatrices(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, f := range []Form{{1, 1, nil}, {1, 2, []float64{0}}, {4, 3, []float64{0, .5, -.5, 2, -2}}, F2x3, F4x3, F2x5, F4x5} {
		input, filter, output := f.Matrices()
		d, g := make([]float64, f.M+f.R-1), make([]float64, f.R)
		for _, x := range [][]float64{d, g} {
			for i := range x {
				x[i] = rnd.NormFloat64()
			}
		}
		products := product(input, d)
		for i, v := range product(filter, g) {
			products[i] *= v
		}
		for i, got := range product(output, products) {
			var want float64
			for j, v := range g {
				want += v * d[i+j]
			}
			if math.Abs(got-want) > 1e-12 {
				t.Errorf("F(%d, %d): output %d is %v, want %v", f.M, f.R, i, got, want)
			}
		}
		if !reflect.DeepEqual(output.T().T(), output) {
			t.Error("transposing twice changes a matrix")
		}
	}
}

// product returns m x.
func product(m Matrix, x []float64) []float64 {
	y := make([]float64, len(m))
	for i, row := range m {
		for j, v := range row {
			y[i] += v * x[j]
		}
	}
	return y
}

func TestLastOddFactor(t *testing.T) {
	for want, row := range map[float64][]float64{3: {9, 2, 9, 3, 9}, 2: {9, 2, 9, 0}, 0: {9}} {
		if got := LastOddFactor(row); got != want {
			t.Errorf("of %v: %v", row, got)
		}
	}
}
