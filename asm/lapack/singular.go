package lapack

import (
	"math"

	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/par"
)

// singular is Dgesvd of arguments that are right, for so many vectors on the left and on the
// right. It returns false, and has changed nothing, if an element is not finite.
//
// Of A, or its transpose if that has fewer rows, the left singular vectors U are found as
// eigenvectors of A A^T. U^T A is then a triangle L times a matrix Q of orthonormal rows,
// and as its rows are orthogonal but for rounding, L is diagonal but for that: with the
// signs of its diagonal the rows of Q are the right singular vectors, of what is zero, too.
func (i Implementation) singular(m, n int, a []float64, lda int, s []float64, left int, u []float64, ldu int, right int, vt []float64, ldvt int) bool {
	k, width := min(m, n), max(m, n)
	x := make([]float64, m*n)
	row := func(r int) []float64 { return a[r*lda:][:n] }
	if m <= n {
		for r := range m {
			copy(x[r*n:], row(r))
		}
	} else {
		transpose(m, n, row, x, m)
		left, right = right, left
	}
	if !finite(x) {
		return false
	}
	exponent := dense.Normalise(x)
	values, basis, rows := dense.SVD(par.Threads(i.Threads), k, width, x, left > 0)
	for r, v := range values {
		s[r] = math.Ldexp(v, exponent)
	}
	if right > 0 {
		rows = i.orthonormal(k, right, width, rows)
	}
	ofBasis := func(r int) []float64 { return basis[r*k:][:k] }
	ofRows := func(r int) []float64 { return rows[r*width:][:width] }
	if m <= n {
		transpose(left, k, ofBasis, u, ldu)
		for r := range right {
			copy(vt[r*ldvt:], ofRows(r))
		}
	} else {
		for r := range left {
			copy(vt[r*ldvt:], ofBasis(r))
		}
		transpose(right, width, ofRows, u, ldu)
	}
	return true
}

// orthonormal returns a matrix of m orthonormal rows of n elements, of which the first k have
// the directions of x, and the others are orthogonal to all of x.
func (i Implementation) orthonormal(k, m, n int, x []float64) []float64 {
	x = append(x, make([]float64, (m-k)*n)...)
	tau := make([]float64, k)
	var size [1]float64
	i.Dorglq(m, n, k, x, n, tau, size[:], -1)
	work := make([]float64, int(size[0]))
	i.Dgelqf(k, n, x, n, tau, work, len(work))
	sign := make([]float64, k)
	for r := range sign {
		sign[r] = math.Copysign(1, x[r*n+r])
	}
	i.Dorglq(m, n, k, x, n, tau, work, len(work))
	for r, s := range sign {
		for j := range x[r*n:][:n] {
			x[r*n+j] *= s
		}
	}
	return x
}
