package dense

import "github.com/convergent-go/convergent/internal/par"

// Thin adds A B to C, like Gemm, for an A of few rows: B, k x n with rows ldb apart, is
// read where it lies, while packing it would take as long as the product. The m x k
// matrix A and the m x n matrix C have rows lda and ldc apart.
func Thin(threads, m, n, k int, a []float64, lda int, b []float64, ldb int, c []float64, ldc int) {
	// Four rows of B, and not all of their columns, stay in the first-level cache for
	// all rows of A.
	par.Blocks(threads, n, 512, func(lo, hi int) {
		for p := 0; p < k; p += 4 {
			members := []int{0, 1, 2, 3}[:min(4, k-p)]
			for i := range m {
				Combine(c[i*ldc+lo:i*ldc+hi], b[p*ldb+lo:], ldb, members, a[i*lda+p:][:len(members)])
			}
		}
	})
}
