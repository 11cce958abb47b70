package blas

import (
	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/level3"
	"github.com/convergent-go/convergent/internal/par"
	"gonum.org/v1/gonum/blas"
)

type float interface{ float32 | float64 }

// matrix is a matrix in memory: element (i, j) is data[i*row+j*col], and row or col is 1.
type matrix[T float] struct {
	data     []T
	row, col int
}

// operand returns op(A) of a row-major matrix.
func operand[T float](trans blas.Transpose, a []T, lda int) matrix[T] {
	if trans == blas.NoTrans {
		return matrix[T]{a, lda, 1}
	}
	return matrix[T]{a, 1, lda}
}

// t is the transpose.
func (m matrix[T]) t() matrix[T] { return matrix[T]{m.data, m.col, m.row} }

// from is the matrix that begins at element (i, j).
func (m matrix[T]) from(i, j int) matrix[T] {
	return matrix[T]{m.data[i*m.row+j*m.col:], m.row, m.col}
}

// fits reports whether rows x cols elements lie in memory, and rows do not overlap.
func fits[T float](trans blas.Transpose, rows, cols int, a []T, lda int) bool {
	if trans != blas.NoTrans {
		rows, cols = cols, rows
	}
	return lda >= max(1, cols) && (rows == 0 || cols == 0 || len(a) >= (rows-1)*lda+cols)
}

func isTranspose(t blas.Transpose) bool {
	return t == blas.NoTrans || t == blas.Trans || t == blas.ConjTrans
}

func isTriangle(ul blas.Uplo) bool { return ul == blas.Upper || ul == blas.Lower }

func isSide(s blas.Side) bool { return s == blas.Left || s == blas.Right }

// scale multiplies m x n elements, of which those in a row are adjacent, by beta. Where that
// is 0 what was there does not count, be it NaN.
func scale[T float](threads, m, n int, beta T, c matrix[T]) {
	scaleRows(threads, m, beta, func(i int) []T { return c.data[i*c.row:][:n] })
}

// scaleTriangle multiplies one triangle of n x n elements by beta.
func scaleTriangle[T float](threads int, ul blas.Uplo, n int, beta T, c matrix[T]) {
	scaleRows(threads, n, beta, func(i int) []T {
		if ul == blas.Upper {
			return c.data[i*c.row:][i:n]
		}
		return c.data[i*c.row:][:i+1]
	})
}

func scaleRows[T float](threads, m int, beta T, row func(i int) []T) {
	if beta == 1 {
		return
	}
	par.Blocks(threads, m, 64, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			r := row(i)
			if beta == 0 {
				clear(r)
				continue
			}
			for j := range r {
				r[j] *= beta
			}
		}
	})
}

// product adds alpha A B to C, of m x n, for A of m x k.
func product[T float](threads, m, n, k int, alpha T, a, b, c matrix[T]) {
	if m == 0 || n == 0 || k == 0 || alpha == 0 {
		return
	}
	if c.col != 1 {
		a, b, c, m, n = b.t(), a.t(), c.t(), n, m
	}
	switch c := any(c).(type) {
	case matrix[float64]:
		a, b := any(a).(matrix[float64]), any(b).(matrix[float64])
		dense.Gemm(threads, dense.Product{M: m, N: n, K: k, Alpha: float64(alpha),
			A: dense.View{Data: a.data, RowStride: a.row, ColStride: a.col},
			B: dense.View{Data: b.data, RowStride: b.row, ColStride: b.col},
			C: c.data, LDC: c.row})
	case matrix[float32]:
		x := vectors(any(a).(matrix[float32]))
		if alpha != 1 {
			x = scaled{x, float32(alpha)}
		}
		level3.Gemm(threads, level3.Product{M: m, N: n, K: k, A: x, B: vectors(any(b).(matrix[float32]).t()),
			C: c.data, LDC: c.row, Epilogue: level3.Epilogue{Accumulate: true}})
	}
}

// vectors are the rows of a matrix.
func vectors(m matrix[float32]) level3.Operand {
	if m.col == 1 {
		return level3.Rows{Data: m.data, Stride: m.row}
	}
	return level3.Cols{Data: m.data, Stride: m.col}
}

// scaled is vectors times alpha.
type scaled struct {
	level3.Operand
	alpha float32
}

// Pack implements level3.Operand.
func (s scaled) Pack(dst []float32, r, i0, i1, k0, k1 int) {
	s.Operand.Pack(dst, r, i0, i1, k0, k1)
	dst = dst[:(i1-i0+r-1)/r*r*(k1-k0)]
	for i := range dst {
		dst[i] *= s.alpha
	}
}
