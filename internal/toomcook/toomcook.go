// Package toomcook makes the matrices of Winograd's convolution, for the emitter of the
// kernels, which has the derivation, and for their portable twins.
package toomcook

import "math"

// Matrix is a list of rows.
type Matrix [][]float64

// T returns the transpose.
func (m Matrix) T() Matrix {
	t := make(Matrix, len(m[0]))
	for j := range t {
		for i := range m {
			t[j] = append(t[j], m[i][j])
		}
	}
	return t
}

// LastOddFactor returns the last factor of a row at an odd place that is not zero.
func LastOddFactor(row []float64) (f float64) {
	for j := 1; j < len(row); j += 2 {
		if row[j] != 0 {
			f = row[j]
		}
	}
	return f
}

// Form is a form of Winograd's convolution, F(M, R), of M outputs and R taps, at M+R-2
// points and infinity. Points p and -p are neighbours.
type Form struct {
	M, R   int
	Points []float64
}

// The forms that there are kernels for. The emitter says why their points are these.
var (
	F2x3 = Form{2, 3, []float64{0, 1, -1}}
	F4x3 = Form{4, 3, []float64{0, 3. / 4, -3. / 4, 3. / 2, -3. / 2}}
	F2x5 = Form{2, 5, F4x3.Points}
	F4x5 = Form{4, 5, []float64{0, 1. / 2, -1. / 2, 1, -1, 7. / 4, -7. / 4}}
)

// Matrices returns B^T, G and A^T, which transform input, filter and output: the
// coefficients of what Lagrange's interpolation multiplies values by, monomials at the
// points over what it divides by, and monomials.
func (f Form) Matrices() (input, filter, output Matrix) {
	n := f.M + f.R - 1
	output = make(Matrix, f.M)
	for _, p := range append(f.Points[:len(f.Points):len(f.Points)], math.Inf(1)) {
		scale, product := 1., make([]float64, n) // the product of x-q over all other points q
		product[0] = 1
		for _, q := range f.Points {
			if q == p {
				continue
			}
			for i := n - 1; i > 0; i-- {
				product[i] = product[i-1] - float64(q*product[i])
			}
			product[0] *= -q
			if !math.IsInf(p, 0) {
				scale *= p - q
			}
		}
		monomials := func(n int, scale float64) []float64 {
			row := make([]float64, n)
			if math.IsInf(p, 0) {
				row[n-1] = 1
				return row
			}
			for i := range row {
				row[i] = scale
				scale *= p
			}
			return row
		}
		input = append(input, product)
		filter = append(filter, monomials(f.R, 1/scale))
		for i, v := range monomials(f.M, 1) {
			output[i] = append(output[i], v)
		}
	}
	return input, filter, output
}
