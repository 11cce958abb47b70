package lapack

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/lapack"
	"gonum.org/v1/gonum/lapack/gonum"
)

// Implementation implements gonum's interface lapack.Float64. The zero value is ready for
// use, and for use by many goroutines at once.
type Implementation struct {
	gonum.Implementation

	// Threads limits the threads at work; 0 means GOMAXPROCS. Where gonum's BLAS is at work,
	// its own limit holds.
	Threads int
}

var _ lapack.Float64 = Implementation{}

// smallOrder is the order up to which matrices are left to gonum, which is as fast there.
var smallOrder = 64

// Dsyev computes the eigenvalues, rising, of a symmetric n x n matrix of which one triangle
// is read, in w, and, if jobz says so, overwrites the matrix by eigenvectors, its columns.
// The workspace must have the length that gonum's asks for.
func (i Implementation) Dsyev(jobz lapack.EVJob, uplo blas.Uplo, n int, a []float64, lda int, w, work []float64, lwork int) (ok bool) {
	if n > smallOrder && (jobz == lapack.EVNone || jobz == lapack.EVCompute) && (uplo == blas.Upper || uplo == blas.Lower) &&
		lda >= n && len(a) >= (n-1)*lda+n && len(w) >= n && lwork >= 3*n-1 && len(work) >= lwork &&
		i.eigen(jobz == lapack.EVCompute, uplo, n, a, lda, w) {
		i.Implementation.Dsyev(jobz, uplo, n, a, lda, w, work, -1)
		return true
	}
	return i.Implementation.Dsyev(jobz, uplo, n, a, lda, w, work, lwork)
}

// Dgesvd computes the singular values, falling, of an m x n matrix, in s, and of its singular
// vectors those that jobU and jobVT ask for: all, the first min(m, n), or none, the left ones
// as the columns of u and the right ones as the rows of vt. Where none are asked for, gonum's
// own is as fast. The workspace must have the length that gonum's asks for.
func (i Implementation) Dgesvd(jobU, jobVT lapack.SVDJob, m, n int, a []float64, lda int, s, u []float64, ldu int, vt []float64, ldvt int, work []float64, lwork int) (ok bool) {
	k := min(m, n)
	left, right := vectors(jobU, m, k), vectors(jobVT, n, k)
	if k > smallOrder && min(left, right) >= 0 && max(left, right) > 0 &&
		lda >= n && len(a) >= (m-1)*lda+n && len(s) >= k && lwork >= max(3*k+max(m, n), 5*k) && len(work) >= lwork &&
		ldu >= max(1, left) && (left == 0 || len(u) >= (m-1)*ldu+left) &&
		ldvt >= 1 && (right == 0 || ldvt >= n && len(vt) >= (right-1)*ldvt+n) &&
		i.singular(m, n, a, lda, s, left, u, ldu, right, vt, ldvt) {
		i.Implementation.Dgesvd(jobU, jobVT, m, n, a, lda, s, u, ldu, vt, ldvt, work, -1)
		return true
	}
	return i.Implementation.Dgesvd(jobU, jobVT, m, n, a, lda, s, u, ldu, vt, ldvt, work, lwork)
}

// vectors returns how many singular vectors of n elements each a job asks for, or -1 if it is
// one that gonum has not.
func vectors(job lapack.SVDJob, n, k int) int {
	switch job {
	case lapack.SVDAll:
		return n
	case lapack.SVDStore:
		return k
	case lapack.SVDNone:
		return 0
	}
	return -1
}
