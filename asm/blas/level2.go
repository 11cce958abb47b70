package blas

import (
	"github.com/convergent-go/convergent/internal/par"
	"gonum.org/v1/gonum/blas"
)

// split calls f for parts of n rows or columns, of vectors x whose elements lie inc apart,
// and returns false if a call reads too little to share or could be refused. f gets where
// a part begins and ends.
func split(threads, n, each int, f func(lo, hi int)) bool {
	threads = par.Worth(par.Threads(threads), n*each/4)
	if threads < 2 || n < 2*threads {
		return false
	}
	par.Blocks(threads, n, (n+threads-1)/threads, f)
	return true
}

// vector reports whether n elements inc apart lie in memory, in order.
func vector[T float](n int, x []T, inc int) bool { return inc > 0 && len(x) > (n-1)*inc }

// gemv computes y = alpha op(A) x + beta y by parts of y, each by one.
func gemv[T float](threads int, one func(tA blas.Transpose, m, n int, alpha T, a []T, lda int, x []T, incX int, beta T, y []T, incY int), tA blas.Transpose, m, n int, alpha T, a []T, lda int, x []T, incX int, beta T, y []T, incY int) {
	rows, cols := m, n // of op(A)
	if tA != blas.NoTrans {
		rows, cols = n, m
	}
	if isTranspose(tA) && min(m, n) > 0 && fits(blas.NoTrans, m, n, a, lda) && vector(cols, x, incX) && vector(rows, y, incY) &&
		split(threads, rows, cols, func(lo, hi int) {
			if tA == blas.NoTrans {
				one(tA, hi-lo, n, alpha, a[lo*lda:], lda, x, incX, beta, y[lo*incY:], incY)
			} else {
				one(tA, m, hi-lo, alpha, a[lo:], lda, x, incX, beta, y[lo*incY:], incY)
			}
		}) {
		return
	}
	one(tA, m, n, alpha, a, lda, x, incX, beta, y, incY)
}

// Dgemv is y = alpha op(A) x + beta y, for A of m x n.
func (i Implementation) Dgemv(tA blas.Transpose, m, n int, alpha float64, a []float64, lda int, x []float64, incX int, beta float64, y []float64, incY int) {
	gemv(i.Threads, i.Implementation.Dgemv, tA, m, n, alpha, a, lda, x, incX, beta, y, incY)
}

// Sgemv is Dgemv in float32.
func (i Implementation) Sgemv(tA blas.Transpose, m, n int, alpha float32, a []float32, lda int, x []float32, incX int, beta float32, y []float32, incY int) {
	gemv(i.Threads, i.Implementation.Sgemv, tA, m, n, alpha, a, lda, x, incX, beta, y, incY)
}
