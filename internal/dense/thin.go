package dense

import "github.com/convergent-go/convergent/internal/par"

// ThinGemm is Gemm for an A of few rows, without a factor Alpha: B is read where it lies,
// while packing it would take as long as the product. ThinGemm panics unless A and B are
// row-major.
func ThinGemm(threads int, p Product) {
	if p.A.ColStride != 1 || p.B.ColStride != 1 || p.Alpha != 0 {
		panic("dense: a thin product takes row-major matrices and no factor")
	}
	// Four rows of B, and not all of their columns, stay in the first-level cache for
	// all rows of A.
	par.Blocks(threads, p.N, 512, func(lo, hi int) {
		for k := 0; k < p.K; k += 4 {
			rows := []int{0, 1, 2, 3}[:min(4, p.K-k)]
			for i := range p.M {
				AxpyRows(p.C[i*p.LDC+lo:i*p.LDC+hi], p.B.Data[k*p.B.RowStride+lo:], p.B.RowStride, rows, p.A.Data[i*p.A.RowStride+k:][:len(rows)])
			}
		}
	})
}
