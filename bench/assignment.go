package bench

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/match"
)

// Assignment is the one-to-one matching of N rows and N columns with the largest
// sum of values: uniform ones, or the correlations, over a number of samples, of units
// with noisy copies of themselves in the opposite order.
type Assignment struct {
	N       int    `json:"n"`
	Values  string `json:"values"`            // uniform or noisy
	Samples int    `json:"samples,omitempty"` // of noisy ones
}

// works counts no operations: how many there are depends on the values.
func (s Assignment) works() ([]Work, error) {
	name := fmt.Sprintf("assignment/%s/n=%d", s.Values, s.N)
	if s.N < 1 || s.Values == "noisy" && s.Samples < 2 {
		return nil, fmt.Errorf("%s: size out of range", name)
	}
	if s.Values != "uniform" && s.Values != "noisy" {
		return nil, fmt.Errorf("%s: values %q", name, s.Values)
	}
	return []Work{{Name: name, Tolerance: 1e-12, Spec: s, start: s.start}}, nil
}

// Matrix returns the values. Uniform ones have 47 bits, so that ties are rare.
func (s Assignment) Matrix() *mat.Dense {
	if s.Values == "uniform" {
		x, lowBits := Float64s(uniform(1, s.N*s.N)), uniform(2, s.N*s.N)
		for i, v := range lowBits {
			x[i] += float64(v) / (1 << 24)
		}
		return mat.NewDense(s.N, s.N, x)
	}
	units := mat.NewDense(s.N, s.Samples, Float64s(uniform(1, s.N*s.Samples)))
	copies := mat.NewDense(s.N, s.Samples, Float64s(uniform(2, s.N*s.Samples)))
	for i := range s.N {
		row := copies.RawRowView(i)
		for k, x := range units.RawRowView(s.N - 1 - i) {
			row[k] += x
		}
	}
	standardize(units)
	standardize(copies)
	var c mat.Dense
	c.Mul(units, copies.T())
	return &c
}

// standardize centres rows and scales them to the length 1.
func standardize(x *mat.Dense) {
	rows, cols := x.Dims()
	for i := range rows {
		row := x.RawRowView(i)
		var sum, squares float64
		for _, v := range row {
			sum += v
		}
		for k := range row {
			row[k] -= sum / float64(cols)
			squares += float64(row[k] * row[k])
		}
		for k := range row {
			row[k] /= math.Sqrt(squares)
		}
	}
}

func (s Assignment) start(int) (*Job, error) {
	c := s.Matrix()
	var m match.Matching
	return &Job{
		Run: func() (err error) {
			m, err = match.Bipartite(c)
			return err
		},
		Results: func() [][]float64 { return [][]float64{{m.Mean}} },
	}, nil
}
