package blas

import (
	"github.com/convergent-go/convergent/internal/par"
	"gonum.org/v1/gonum/blas"
)

// Short rows and small matrices are left to gonum, which is as fast there: these are the least
// elements of rows that are summed up, or added, and of matrices.
var rowOfProduct, rowOfSum, smallMatrix = 64, 128, 64 * 64

// sharedMatrix is how many elements are worth the help of another thread: fewer lie in a core's
// own caches.
const sharedMatrix = 1 << 17

// gemv is y = alpha op(A) x + beta y.
func gemv[T float](threads int, tA blas.Transpose, m, n int, alpha T, a []T, lda int, x []T, incX int, beta T, y []T, incY int) bool {
	rows, cols, least := m, n, rowOfProduct // of op(A)
	if tA != blas.NoTrans {
		rows, cols, least = n, m, rowOfSum
	}
	if !isTranspose(tA) || m < 1 || n < least || m*n < smallMatrix || !fits(blas.NoTrans, m, n, a, lda) || !fitsVector(cols, x, incX) || !fitsVector(rows, y, incY) {
		return false
	}
	sum := gather(rows, y, incY)
	scal(beta, sum.side)
	if alpha != 0 {
		factor := gather(cols, x, incX)
		p := productOfVector[T]{tA == blas.NoTrans, alpha, a, lda, factor.side, sum.side}
		if threads = min(par.Threads(threads), rows); m*n < sharedMatrix || threads < 2 {
			p.add(0, rows)
		} else {
			p.share(threads)
		}
		factor.release()
	}
	sum.scatter()
	return true
}

// productOfVector is a product alpha op(A) x to be added to y.
type productOfVector[T float] struct {
	byRows bool // of A, which are op(A)'s
	alpha  T
	a      []T
	lda    int
	x, y   []T
}

// share adds parts of y on several threads.
func (p productOfVector[T]) share(threads int) {
	n := len(p.y)
	par.Blocks(threads, n, (n+threads-1)/threads, p.add)
}

// add adds elements [lo, hi) of the product.
func (p productOfVector[T]) add(lo, hi int) {
	if p.byRows {
		addDots(lo, hi, p.alpha, p.a, p.lda, p.x, p.y)
	} else {
		addRows(lo, hi, p.alpha, p.a, p.lda, p.x, p.y)
	}
}

// addDots adds alpha times the inner products of rows of A and x to elements [lo, hi) of y.
// The last rows are taken with some before them to be four, so that the sums of a row do not
// depend on its neighbours; of fewer than four rows each is by itself.
func addDots[T float](lo, hi int, alpha T, a []T, lda int, x, y []T) {
	if len(y) < 4 {
		for i := lo; i < hi; i++ {
			y[i] += T(alpha * dot(x, a[i*lda:]))
		}
		return
	}
	var sums [4]T
	for j := 0; j < len(x); j += run {
		x := x[j:min(len(x), j+run)]
		for i := lo; i < hi; i += 4 {
			first := min(i, len(y)-4)
			dot4(a[first*lda+j:], lda, x, &sums)
			for k := i; k < min(hi, i+4); k++ {
				y[k] += T(alpha * sums[k-first])
			}
		}
	}
}

// addRows adds the sum over i of alpha x[i] times row i of A to elements [lo, hi) of y.
func addRows[T float](lo, hi int, alpha T, a []T, lda int, x, y []T) {
	for j := lo; j < hi; j += run {
		y := y[j:min(hi, j+run)]
		i := 0
		for ; i+4 <= len(x); i += 4 {
			factors := [4]T{alpha * x[i], alpha * x[i+1], alpha * x[i+2], alpha * x[i+3]}
			axpy4(y, a[i*lda+j:], lda, &factors)
		}
		for ; i < len(x); i++ {
			axpy(y, alpha*x[i], a[i*lda+j:])
		}
	}
}

// symv is y = alpha A x + beta y for a symmetric A, of which one triangle is read.
func symv[T float](ul blas.Uplo, n int, alpha T, a []T, lda int, x []T, incX int, beta T, y []T, incY int) bool {
	if !isTriangle(ul) || n < rowOfProduct || !fits(blas.NoTrans, n, n, a, lda) || !fitsVector(n, x, incX) || !fitsVector(n, y, incY) {
		return false
	}
	sum := gather(n, y, incY)
	scal(beta, sum.side)
	if alpha != 0 {
		factor := gather(n, x, incX)
		addSymmetric(ul, alpha, a, lda, factor.side, sum.side)
		factor.release()
	}
	sum.scatter()
	return true
}

// addSymmetric adds alpha A x to y, four rows at a time: what is beside the four columns of these,
// and its transpose, and the triangle in them.
func addSymmetric[T float](ul blas.Uplo, alpha T, a []T, lda int, x, y []T) {
	n := len(x)
	for i := 0; i < n; i += 4 {
		end := min(n, i+4)
		lo, hi := 0, i
		if ul == blas.Upper {
			lo, hi = end, n
		}
		var factors, sums [4]T
		for r, v := range x[i:end] {
			factors[r] = alpha * v
		}
		switch {
		case lo == hi:
		case end-i == 4:
			dotAxpy4(a[i*lda+lo:], lda, x[lo:hi], y[lo:hi], &factors, &sums)
		default:
			for r := range end - i {
				row := a[(i+r)*lda+lo:]
				sums[r] = dot(x[lo:hi], row)
				axpy(y[lo:hi], factors[r], row)
			}
		}
		for r := i; r < end; r++ {
			row := a[r*lda:]
			first, last := i, r
			if ul == blas.Upper {
				first, last = r+1, end
			}
			sum := sums[r-i] + T(row[r]*x[r])
			for c := first; c < last; c++ {
				sum += T(row[c] * x[c])
				y[c] += T(row[c] * factors[r-i])
			}
			y[r] += T(alpha * sum)
		}
	}
}

// ger is A += alpha x y^T.
func ger[T float](m, n int, alpha T, x []T, incX int, y []T, incY int, a []T, lda int) bool {
	if m < 1 || n < rowOfSum || !fits(blas.NoTrans, m, n, a, lda) || !fitsVector(m, x, incX) || !fitsVector(n, y, incY) {
		return false
	}
	if alpha == 0 {
		return true
	}
	column, row := gather(m, x, incX), gather(n, y, incY)
	for i, v := range column.side {
		axpy(a[i*lda:][:n], alpha*v, row.side)
	}
	column.release()
	row.release()
	return true
}

// triangularVector is trmv or trsv: it applies f to a triangle op(A) of so many rows at least,
// and x.
func triangularVector[T float](f func(lower, byRows, unit bool, a []T, lda int, x []T), least int, ul blas.Uplo, tA blas.Transpose, d blas.Diag, n int, a []T, lda int, x []T, incX int) bool {
	if !isTriangle(ul) || !isTranspose(tA) || d != blas.Unit && d != blas.NonUnit || n < least || !fits(blas.NoTrans, n, n, a, lda) || !fitsVector(n, x, incX) {
		return false
	}
	v := gather(n, x, incX)
	f(ul == blas.Lower, tA == blas.NoTrans, d == blas.Unit, a, lda, v.side)
	v.scatter()
	return true
}

// besides returns where in row i of a triangle of n rows the elements beside the diagonal
// are.
func besides(lower bool, i, n int) (lo, hi int) {
	if lower {
		return 0, i
	}
	return i + 1, n
}

// trmv overwrites x with op(A) x: element by element where rows are A's, from the end
// where no other element is still to come, or else row by row, from where none has been.
func trmv[T float](lower, byRows, unit bool, a []T, lda int, x []T) {
	n := len(x)
	for k := range n {
		i := k
		if lower == byRows {
			i = n - 1 - k
		}
		lo, hi := besides(lower, i, n)
		row := a[i*lda:]
		if !byRows {
			axpy(x[lo:hi], x[i], row[lo:])
		}
		if !unit {
			x[i] *= row[i]
		}
		if byRows {
			x[i] += dot(x[lo:hi], row[lo:])
		}
	}
}

// trsv overwrites x with the solution of op(A) y = x, in the reverse order.
func trsv[T float](lower, byRows, unit bool, a []T, lda int, x []T) {
	n := len(x)
	for k := range n {
		i := k
		if lower != byRows {
			i = n - 1 - k
		}
		lo, hi := besides(lower, i, n)
		row := a[i*lda:]
		if byRows {
			x[i] -= dot(x[lo:hi], row[lo:])
		}
		if !unit {
			x[i] /= row[i]
		}
		if !byRows {
			axpy(x[lo:hi], -x[i], row[lo:])
		}
	}
}
