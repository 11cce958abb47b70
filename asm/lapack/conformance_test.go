package lapack

import (
	"testing"

	"github.com/convergent-go/convergent/asm/blas"
	"gonum.org/v1/gonum/blas/blas64"
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
	t.Run("Dgesvd", func(t *testing.T) { testlapack.DgesvdTest(t, Implementation{}, 1e-13) })
}
