package toomcook

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestMatrices convolves by the matrices and by definition, in float64.
func TestMatrices(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, f := range []struct {
		m, r   int
		points []float64
	}{{1, 1, nil}, {1, 2, []float64{0}}, {2, 3, []float64{0, 1, -1}}, {4, 3, []float64{0, .5, -.5, 2, -2}}, {4, 5, []float64{0, .5, -.5, 1, -1, 1.75, -1.75}}} {
		input, filter, output := Matrices(f.m, f.r, f.points...)
		d, g := make([]float64, f.m+f.r-1), make([]float64, f.r)
		for _, x := range [][]float64{d, g} {
			for i := range x {
				x[i] = rnd.NormFloat64()
			}
		}
		products := times(input, d)
		for i, v := range times(filter, g) {
			products[i] *= v
		}
		for i, got := range times(output, products) {
			var want float64
			for j, v := range g {
				want += v * d[i+j]
			}
			if math.Abs(got-want) > 1e-12 {
				t.Errorf("F(%d, %d): output %d is %v, want %v", f.m, f.r, i, got, want)
			}
		}
		if again := output.Transposed().Transposed(); len(again) != f.m || again[0][0] != output[0][0] {
			t.Error("transposing twice changes a matrix")
		}
	}
}

func times(m Matrix, x []float64) []float64 {
	y := make([]float64, len(m))
	for i, row := range m {
		for j, v := range row {
			y[i] += v * x[j]
		}
	}
	return y
}

func TestLastOdd(t *testing.T) {
	for want, row := range map[float64][]float64{3: {9, 2, 9, 3, 9}, 2: {9, 2, 9, 0}, 0: {9}} {
		if got := LastOdd(row); got != want {
			t.Errorf("of %v: %v", row, got)
		}
	}
}
