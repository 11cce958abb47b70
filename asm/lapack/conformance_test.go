package lapack

import (
	"testing"

	"github.com/convergent-go/convergent/asm/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack"
	"gonum.org/v1/gonum/lapack/testlapack"
)

// withoutGonum lets no matrix go to gonum, however small.
func withoutGonum(t *testing.T) {
	old := smallOrder
	smallOrder = 0
	t.Cleanup(func() { smallOrder = old })
}

// overOurBLAS makes gonum's routines stand on package blas.
func overOurBLAS(t *testing.T) {
	old := blas64.Implementation()
	blas64.Use(blas.Implementation{})
	t.Cleanup(func() { blas64.Use(old) })
}

// TestConformance runs gonum's own tests.
func TestConformance(t *testing.T) {
	withoutGonum(t)
	overOurBLAS(t)
	t.Run("Dsyev", func(t *testing.T) { testlapack.DsyevTest(t, Implementation{}) })
	if testing.Short() {
		return
	}
	t.Run("Dgesvd", func(t *testing.T) { testlapack.DgesvdTest(t, throughout{}, 1e-13) })
}

// throughout computes singular values without vectors, too, by this package: gonum's test
// wants those that come with vectors, in more digits than two methods share.
type throughout struct{ Implementation }

func (i throughout) Dgesvd(jobU, jobVT lapack.SVDJob, m, n int, a []float64, lda int, s, u []float64, ldu int, vt []float64, ldvt int, work []float64, lwork int) (ok bool) {
	if jobU == lapack.SVDNone && jobVT == lapack.SVDNone && min(m, n) > 0 {
		return i.singular(m, n, a, lda, s, 0, u, ldu, 0, vt, ldvt)
	}
	return i.Implementation.Dgesvd(jobU, jobVT, m, n, a, lda, s, u, ldu, vt, ldvt, work, lwork)
}
