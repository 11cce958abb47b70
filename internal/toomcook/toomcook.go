// Package toomcook makes the matrices of Winograd's convolution, for the emitter of the
// kernels, which has the derivation, and for their portable twins.
package toomcook

import "math"

// Matrix is a list of rows.
type Matrix [][]float64

// Transposed returns the transpose.
func (m Matrix) Transposed() Matrix {
	t := make(Matrix, len(m[0]))
	for j := range t {
		for i := range m {
			t[j] = append(t[j], m[i][j])
		}
	}
	return t
}

// LastOdd returns the last factor of a row at an odd place that is not zero.
func LastOdd(row []float64) (f float64) {
	for j := 1; j < len(row); j += 2 {
		if row[j] != 0 {
			f = row[j]
		}
	}
	return f
}

// Matrices returns B^T, G and A^T of F(m, r), of m outputs and r taps, at the given
// m+r-2 points and infinity: the coefficients of what Lagrange's interpolation
// multiplies values by, monomials at the points over what it divides by, and monomials.
// Points p and -p are neighbours.
func Matrices(m, r int, points ...float64) (input, filter, output Matrix) {
	n := m + r - 1
	output = make(Matrix, m)
	for _, p := range append(points, math.Inf(1)) {
		scale, rest := 1., make([]float64, n) // the product of x-q over all others
		rest[0] = 1
		for _, q := range points {
			if q == p {
				continue
			}
			for i := n - 1; i > 0; i-- {
				rest[i] = rest[i-1] - q*rest[i]
			}
			rest[0] *= -q
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
		input = append(input, rest)
		filter = append(filter, monomials(r, 1/scale))
		for i, v := range monomials(m, 1) {
			output[i] = append(output[i], v)
		}
	}
	return input, filter, output
}
