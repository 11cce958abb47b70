package dense

import (
	"math"

	"github.com/convergent-go/convergent/internal/par"
)

// choleskyBlock is how many columns are eliminated at a time.
const choleskyBlock = 128

// Cholesky factors a symmetric positive semidefinite n x n matrix A = L L^T, of which it
// reads the lower triangle, and overwrites that with L.
//
// A row whose pivot, what the rows before leave of its diagonal element, is at most the
// given share of that element depends on them: its pivot and what is below it become 0, and
// kept is false. Of the Gram matrix of vectors, those that are kept span what all do.
func Cholesky(threads, n int, a []float64, share float64) (kept []bool) {
	kept = make([]bool, n)
	least := make([]float64, n)
	for i := range least {
		least[i] = share * a[i*n+i]
	}
	for k := 0; k < n; k += choleskyBlock {
		end := min(n, k+choleskyBlock)
		for i := k; i < end; i++ { // the block on the diagonal, row by row
			row := a[i*n+k:][:end-k]
			eliminate(row[:i-k], a[k*n+k:], n)
			pivot := a[i*n+i] - Dot(row[:i-k], row)
			if kept[i] = pivot > least[i]; kept[i] {
				a[i*n+i] = math.Sqrt(pivot)
			} else {
				a[i*n+i] = 0
			}
		}
		par.Blocks(threads, n-end, 64, func(lo, hi int) {
			for i := end + lo; i < end+hi; i++ {
				eliminate(a[i*n+k:][:end-k], a[k*n+k:], n)
			}
		})
		const strip = 512 // columns of what is left, from the diagonal down
		for j := end; j < n; j += strip {
			Gemm(threads, Product{M: n - j, N: min(strip, n-j), K: end - k, Alpha: -1,
				A: Rows(a[j*n+k:], n), B: Rows(a[j*n+k:], n).T(), C: a[j*n+j:], LDC: n})
		}
	}
	return kept
}

// eliminate overwrites a row x with x L^-T, for the lower triangle of a factor; where a
// pivot is 0, the row becomes 0.
func eliminate(x, l []float64, ld int) {
	for j := range x {
		if pivot := l[j*ld+j]; pivot == 0 {
			x[j] = 0
		} else {
			x[j] = (x[j] - Dot(x[:j], l[j*ld:])) / pivot
		}
	}
}

// Eliminate overwrites m rows of n elements with the rows of X L^-T, for a factor L that
// [Cholesky] returned: where L L^T = X^T X, they have orthonormal columns, and columns of
// zeros for those that are not kept.
func Eliminate(threads, m, n int, x, l []float64) {
	for k := 0; k < n; k += choleskyBlock {
		end := min(n, k+choleskyBlock)
		Gemm(threads, Product{M: m, N: end - k, K: k, Alpha: -1, A: Rows(x, n), B: Rows(l[k*n:], n).T(), C: x[k:], LDC: n})
		par.Blocks(threads, m, 64, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				eliminate(x[i*n+k:][:end-k], l[k*n+k:], n)
			}
		})
	}
}
