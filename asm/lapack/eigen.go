package lapack

import (
	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/par"
	"gonum.org/v1/gonum/blas"
)

// eigen is Dsyev of arguments that are right. It returns false, and has changed nothing, if
// an element is not finite.
func (i Implementation) eigen(vectors bool, uplo blas.Uplo, n int, a []float64, lda int, w []float64) bool {
	lower := make([]float64, n*n)
	for r := range n {
		row := a[r*lda:][:n]
		if uplo == blas.Lower {
			copy(lower[r*n:], row[:r+1])
			continue
		}
		for c, v := range row[r:] {
			lower[(r+c)*n+r] = v
		}
	}
	if !finite(lower) {
		return false
	}
	count := 0
	if vectors {
		count = n
	}
	values, rows := dense.Eigen(par.Threads(i.Threads), n, lower, count)
	for r, v := range values {
		w[n-1-r] = v
	}
	if vectors {
		transpose(n, n, func(r int) []float64 { return rows[(n-1-r)*n:][:n] }, a, lda)
	}
	return true
}
