package blas

import (
	"github.com/convergent-go/convergent/internal/par"
	"gonum.org/v1/gonum/blas"
)

// smallProduct is of how many multiply-adds products are left to gonum, which needs not
// pack them.
var smallProduct = 16 * 16 * 16

// leaf is how many rows of a triangle are not divided further. It is a multiple of the rows
// of every tile of products.
const leaf = 48

func gemm[T float](threads int, tA, tB blas.Transpose, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int) bool {
	if !isTranspose(tA) || !isTranspose(tB) || min(m, n, k) < 1 || m*n*k < smallProduct ||
		!fits(tA, m, k, a, lda) || !fits(tB, k, n, b, ldb) || !fits(blas.NoTrans, m, n, c, ldc) {
		return false
	}
	threads = par.Threads(threads)
	out := operand(blas.NoTrans, c, ldc)
	scale(threads, m, n, beta, out)
	product(threads, m, n, k, alpha, operand(tA, a, lda), operand(tB, b, ldb), out)
	return true
}

func symm[T float](threads int, s blas.Side, ul blas.Uplo, m, n int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int) bool {
	order := m
	if s == blas.Right {
		order = n
	}
	if !isSide(s) || !isTriangle(ul) || min(m, n) < 1 || m*n*order < smallProduct ||
		!fits(blas.NoTrans, order, order, a, lda) || !fits(blas.NoTrans, m, n, b, ldb) || !fits(blas.NoTrans, m, n, c, ldc) {
		return false
	}
	threads = par.Threads(threads)
	out := operand(blas.NoTrans, c, ldc)
	scale(threads, m, n, beta, out)
	if alpha == 0 {
		return true
	}
	full := make([]T, order*order)
	par.Blocks(threads, order, 64, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			for j := range order {
				if (ul == blas.Upper) == (j >= i) {
					full[i*order+j] = a[i*lda+j]
				} else {
					full[i*order+j] = a[j*lda+i]
				}
			}
		}
	})
	left, right := matrix[T]{full, order, 1}, operand(blas.NoTrans, b, ldb)
	if s == blas.Right {
		left, right = right, left
	}
	product(threads, m, n, order, alpha, left, right, out)
	return true
}

func syrk[T float](threads int, ul blas.Uplo, tA blas.Transpose, n, k int, alpha T, a []T, lda int, beta T, c []T, ldc int) bool {
	if !isTriangle(ul) || !isTranspose(tA) || min(n, k) < 1 || n*n*k < smallProduct ||
		!fits(tA, n, k, a, lda) || !fits(blas.NoTrans, n, n, c, ldc) {
		return false
	}
	u := update[T]{threads: par.Threads(threads), ul: ul, k: k, alpha: alpha, a: operand(tA, a, lda), c: operand(blas.NoTrans, c, ldc)}
	u.b = u.a
	scaleTriangle(u.threads, ul, n, beta, u.c)
	u.add(0, n)
	return true
}

func syr2k[T float](threads int, ul blas.Uplo, tA blas.Transpose, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int) bool {
	if !isTriangle(ul) || !isTranspose(tA) || min(n, k) < 1 || n*n*k < smallProduct ||
		!fits(tA, n, k, a, lda) || !fits(tA, n, k, b, ldb) || !fits(blas.NoTrans, n, n, c, ldc) {
		return false
	}
	u := update[T]{threads: par.Threads(threads), ul: ul, k: k, alpha: alpha, twice: true,
		a: operand(tA, a, lda), b: operand(tA, b, ldb), c: operand(blas.NoTrans, c, ldc)}
	scaleTriangle(u.threads, ul, n, beta, u.c)
	u.add(0, n)
	return true
}

// update is the symmetric update of a triangle of C by alpha A B^T and, if twice, by
// alpha B A^T too; else A B^T is symmetric. A and B have k columns.
type update[T float] struct {
	threads int
	ul      blas.Uplo
	k       int
	alpha   T
	twice   bool
	a, b, c matrix[T]
}

// add updates rows and columns [lo, hi): two smaller triangles and the rectangle between.
func (u *update[T]) add(lo, hi int) {
	n := hi - lo
	if n <= 2*leaf {
		u.addLeaf(lo, n)
		return
	}
	mid := lo + (n/2+leaf-1)/leaf*leaf
	u.add(lo, mid)
	i0, i1, j0, j1 := mid, hi, lo, mid
	if u.ul == blas.Upper {
		i0, i1, j0, j1 = lo, mid, mid, hi
	}
	c := u.c.from(i0, j0)
	product(u.threads, i1-i0, j1-j0, u.k, u.alpha, u.a.from(i0, 0), u.b.from(j0, 0).t(), c)
	if u.twice {
		product(u.threads, i1-i0, j1-j0, u.k, u.alpha, u.b.from(i0, 0), u.a.from(j0, 0).t(), c)
	}
	u.add(mid, hi)
}

func (u *update[T]) addLeaf(lo, n int) {
	sums := make([]T, n*n)
	product(u.threads, n, n, u.k, u.alpha, u.a.from(lo, 0), u.b.from(lo, 0).t(), matrix[T]{sums, n, 1})
	for i := range n {
		j0, j1 := 0, i+1
		if u.ul == blas.Upper {
			j0, j1 = i, n
		}
		row := u.c.from(lo+i, lo).data
		for j := j0; j < j1; j++ {
			row[j] += sums[i*n+j]
			if u.twice {
				row[j] += sums[j*n+i]
			}
		}
	}
}
