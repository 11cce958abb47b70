package dense

import (
	"math"
	"slices"

	"github.com/convergent-go/convergent/internal/par"
)

// LowRankEigen returns the eigenvalues above 0 of a symmetric positive semidefinite n x n matrix
// of a rank of limit or less, falling, and eigenvectors, as the rows of a matrix; ok is false
// if what is left of the trace is more than the given share, and the matrix of a higher
// rank. It reads the lower triangle of a, and overwrites a.
//
// A Cholesky factorisation with the largest pivots first, A = L L^T (Higham, "Accuracy and
// stability of numerical algorithms", 2002, chapter 10), leaves an eigenproblem of the order
// of the rank: that of L^T L. It ends where no pivot is above a hundredth of the share of the
// mean diagonal element, which rounding alone could leave. Eigenvectors of eigenvalues that
// are a share s of the largest are orthonormal to rounding over s.
func LowRankEigen(threads, n int, a []float64, limit int, share float64) (values, rows []float64, ok bool) {
	l, rank, left := pivotedCholesky(threads, n, a, limit, share/100)
	if left > share || rank == 0 {
		return nil, nil, false
	}
	gram := make([]float64, rank*rank)
	par.Blocks(threads, rank, 64, func(lo, hi int) {
		Gemm(1, Product{M: hi - lo, N: hi, K: n, A: Rows(l[lo*n:], n), B: Rows(l, n).T(), C: gram[lo*rank:], LDC: rank})
	})
	values, vectors := Eigen(threads, rank, gram, rank)
	for rank > 0 && values[rank-1] <= 0x1p-40*values[0] {
		rank--
	}
	values, rows = values[:rank], make([]float64, rank*n)
	width := len(l) / n
	Gemm(threads, Product{M: rank, N: n, K: width, A: Rows(vectors, width), B: Rows(l, n), C: rows, LDC: n})
	for k, v := range values {
		row := rows[k*n:][:n]
		for i := range row {
			row[i] /= math.Sqrt(v)
		}
	}
	return values, rows, true
}

// pivotedCholesky returns the rows of L^T, and what share of the trace is left.
func pivotedCholesky(threads, n int, a []float64, limit int, share float64) (l []float64, rank int, left float64) {
	const panel = 64
	diagonal := make([]float64, n)
	var trace float64
	for i := range diagonal {
		diagonal[i] = a[i*(n+1)]
		trace += diagonal[i]
	}
	g := newGemv(n)
	l = make([]float64, 0, limit*n)
	var x [panel]float64
	done := false
	for !done && rank < limit {
		first := rank
		for rank < min(limit, first+panel) {
			pivot := 0
			for i, d := range diagonal {
				if d > diagonal[pivot] {
					pivot = i
				}
			}
			if done = !(diagonal[pivot] > share*trace/float64(n)); done {
				break
			}
			l = l[:(rank+1)*n]
			row, before := l[rank*n:], rank-first
			copy(row, a[pivot*n:][:pivot+1])
			for i := pivot + 1; i < n; i++ {
				row[i] = a[i*n+pivot]
			}
			for j := range before {
				x[j] = -l[(first+j)*n+pivot]
			}
			g.addTransposed(l[first*n:], n, x[:before], row)
			root := math.Sqrt(diagonal[pivot])
			for i := range row {
				if diagonal[i] == 0 && i != pivot { // a pivot before, or constant
					row[i] = 0
					continue
				}
				row[i] /= root
				diagonal[i] = max(0, diagonal[i]-float64(row[i]*row[i]))
			}
			row[pivot], diagonal[pivot] = root, 0
			rank++
		}
		if done = done || rank == limit; done {
			break
		}
		v := Rows(l[first*n:], n)
		par.Blocks(threads, n, 64, func(lo, hi int) {
			Gemm(1, Product{M: hi - lo, N: hi, K: rank - first, Alpha: -1, A: v.slice(0, lo).T(), B: v, C: a[lo*n:], LDC: n})
		})
	}
	for _, d := range diagonal {
		left += d / trace
	}
	return slices.Clip(l), rank, left
}
