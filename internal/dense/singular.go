package dense

import (
	"cmp"
	"math"
	"slices"

	"github.com/convergent-go/convergent/internal/par"
)

// SVD returns the singular values of an m x n matrix, falling, m of them, of
// which all beyond n are zero, and two matrices of rows: the left singular vectors U,
// m x m and orthonormal, and U A, m x n, whose rows have the singular values as norms
// and the right singular vectors as directions. A is not changed.
//
// U are the eigenvectors of A A^T, in which small singular values drown; so rows of U A
// that are small are taken for a problem of their own, whose Gram matrix has the digits
// that theirs lacks, and so on. Singular values err by rounding of the largest.
func SVD(threads, m, n int, a []float64, vectors bool) (values, left, rows []float64) {
	rows = slices.Clone(a[:m*n])
	exponent := Normalise(rows) // which keeps squares in range
	values = make([]float64, m)
	for start := 0; start < m; {
		k := m - start
		tail := rows[start*n:]
		gram := make([]float64, k*k) // below the diagonal
		par.Blocks(threads, k, 64, func(lo, hi int) {
			Gemm(1, Product{M: hi - lo, N: hi, K: n, A: Rows(tail[lo*n:], n), B: Rows(tail, n).T(), C: gram[lo*k:], LDC: k})
		})
		_, basis := Eigen(threads, k, gram, k)
		rotateRows(threads, k, n, basis, tail)
		switch {
		case vectors && start == 0:
			left = basis
		case vectors:
			rotateRows(threads, k, m, basis, left[start*m:])
		}
		for i := start; i < m; i++ {
			values[i] = math.Sqrt(Dot(rows[i*n:][:n], rows[i*n:][:n]))
		}
		// Rows within a hundredth of the largest are orthogonal to 1e-12.
		largest := values[start]
		for start < m && values[start] > largest/100 {
			start++
		}
		if start < m && slices.Max(values[start:]) <= float64(m+n)*0x1p-53*slices.Max(values) {
			break
		}
	}
	scale(values, exponent)
	scale(rows, exponent)
	order := make([]int, m)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(values[j], values[i]) })
	if vectors {
		left = reorder(left, m, order)
	}
	return reorder(values, 1, order), left, reorder(rows, n, order)
}

// rotateRows replaces k rows x of n elements by basis x.
func rotateRows(threads, k, n int, basis, x []float64) {
	product := make([]float64, k*n)
	Gemm(threads, Product{M: k, N: n, K: k, A: Rows(basis, k), B: Rows(x, n), C: product, LDC: n})
	copy(x, product)
}

// reorder returns rows of n elements in the given order.
func reorder(x []float64, n int, order []int) []float64 {
	y := make([]float64, 0, len(x))
	for _, o := range order {
		y = append(y, x[o*n:][:n]...)
	}
	return y
}

// NuclearNorm returns the sum of the singular values of an m x n matrix, by their squares if
// these tell it well enough.
func NuclearNorm(threads, m, n int, a []float64) float64 {
	if m > n {
		t := make([]float64, m*n)
		for i := range m {
			for j := range n {
				t[j*m+i] = a[i*n+j]
			}
		}
		m, n, a = n, m, t
	}
	if sum, ok := rootSum(threads, m, n, a); ok {
		return sum
	}
	values, _, _ := SVD(threads, m, n, a, false)
	var sum float64
	for _, v := range values {
		sum += v
	}
	return sum
}

// rootSum returns the sum of the roots of the eigenvalues of A A^T, which are the singular
// values, and whether that is good to a part in 1e9. An eigenvalue errs by d, a few times m
// ulp of the largest, and so its root r by d/2r: little unless singular values are small
// beside the largest.
func rootSum(threads, m, n int, a []float64) (sum float64, ok bool) {
	a = slices.Clone(a[:m*n])
	exponent := Normalise(a) // which keeps squares in range
	gram := make([]float64, m*m)
	par.Blocks(threads, m, 64, func(lo, hi int) {
		Gemm(1, Product{M: hi - lo, N: hi, K: n, A: Rows(a[lo*n:], n), B: Rows(a, n).T(), C: gram[lo*m:], LDC: m})
	})
	values, _ := Eigen(threads, m, gram, 0)
	var errors float64
	for _, v := range values {
		root := math.Sqrt(max(0, v))
		sum += root
		errors += 4 * float64(m) * 0x1p-53 * values[0] / (2 * root) // infinite of 0
	}
	return math.Ldexp(sum, exponent), errors <= 1e-9*sum
}
