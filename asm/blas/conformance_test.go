package blas

import (
	"testing"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/blas/testblas"
	"gonum.org/v1/gonum/lapack/gonum"
	"gonum.org/v1/gonum/lapack/testlapack"
)

// withoutGonum lets nothing go to gonum that this package has, however small.
func withoutGonum(t *testing.T) {
	for _, size := range []*int{&smallProduct, &smallMatrix, &rowOfProduct, &rowOfSum, &shortVector, &shortLoop} {
		old := *size
		*size = 1
		t.Cleanup(func() { *size = old })
	}
}

// TestConformance runs gonum's own tests of every routine in float64, of several numbers of
// threads.
func TestConformance(t *testing.T) {
	withoutGonum(t)
	for _, i := range []Implementation{{}, {Threads: 1}, {Threads: 3}} {
		for name, test := range map[string]func(*testing.T){
			"Dgemm":  func(t *testing.T) { testblas.TestDgemm(t, i) },
			"Dsymm":  func(t *testing.T) { testblas.DsymmTest(t, i) },
			"Dtrsm":  func(t *testing.T) { testblas.DtrsmTest(t, i) },
			"Dsyrk":  func(t *testing.T) { testblas.DsyrkTest(t, i) },
			"Dsyr2k": func(t *testing.T) { testblas.Dsyr2kTest(t, i) },
			"Dtrmm":  func(t *testing.T) { testblas.DtrmmTest(t, i) },
			"Dgemv":  func(t *testing.T) { testblas.DgemvTest(t, i) },
			"Dger":   func(t *testing.T) { testblas.DgerTest(t, i) },
			"Dsymv":  func(t *testing.T) { testblas.DsymvTest(t, i) },
			"Dtrsv":  func(t *testing.T) { testblas.DtrsvTest(t, i) },
			"Dtrmv":  func(t *testing.T) { testblas.DtrmvTest(t, i) },
			"Dtxmv":  func(t *testing.T) { testblas.DtxmvTest(t, i) },
			"Dgbmv":  func(t *testing.T) { testblas.DgbmvTest(t, i) },
			"Dtbsv":  func(t *testing.T) { testblas.DtbsvTest(t, i) },
			"Dsbmv":  func(t *testing.T) { testblas.DsbmvTest(t, i) },
			"Dtbmv":  func(t *testing.T) { testblas.DtbmvTest(t, i) },
			"Dsyr":   func(t *testing.T) { testblas.DsyrTest(t, i) },
			"Dsyr2":  func(t *testing.T) { testblas.Dsyr2Test(t, i) },
			"Dspr":   func(t *testing.T) { testblas.DsprTest(t, i) },
			"Dspr2":  func(t *testing.T) { testblas.Dspr2Test(t, i) },
			"Dspmv":  func(t *testing.T) { testblas.DspmvTest(t, i) },
			"Dtpsv":  func(t *testing.T) { testblas.DtpsvTest(t, i) },
			"Dtpmv":  func(t *testing.T) { testblas.DtpmvTest(t, i) },
			"Dasum":  func(t *testing.T) { testblas.DasumTest(t, i) },
			"Daxpy":  func(t *testing.T) { testblas.DaxpyTest(t, i) },
			"Ddot":   func(t *testing.T) { testblas.DdotTest(t, i) },
			"Dnrm2":  func(t *testing.T) { testblas.Dnrm2Test(t, i) },
			"Idamax": func(t *testing.T) { testblas.IdamaxTest(t, i) },
			"Dswap":  func(t *testing.T) { testblas.DswapTest(t, i) },
			"Dcopy":  func(t *testing.T) { testblas.DcopyTest(t, i) },
			"Drotg":  func(t *testing.T) { testblas.DrotgTest(t, i, false) },
			"Drotmg": func(t *testing.T) { testblas.DrotmgTest(t, i) },
			"Drot":   func(t *testing.T) { testblas.DrotTest(t, i) },
			"Drotm":  func(t *testing.T) { testblas.DrotmTest(t, i) },
			"Dscal":  func(t *testing.T) { testblas.DscalTest(t, i) },
		} {
			t.Run(name, test)
		}
	}
}

// TestLapack runs gonum's own tests of factorisations that stand on its BLAS.
func TestLapack(t *testing.T) {
	old := blas64.Implementation()
	blas64.Use(Implementation{})
	defer blas64.Use(old)
	t.Run("Dgetrf", func(t *testing.T) { testlapack.DgetrfTest(t, gonum.Implementation{}) })
	t.Run("Dpotrf", func(t *testing.T) { testlapack.DpotrfTest(t, gonum.Implementation{}) })
	t.Run("Dgeqrf", func(t *testing.T) { testlapack.DgeqrfTest(t, gonum.Implementation{}) })
	if testing.Short() {
		return
	}
	t.Run("Dsyev", func(t *testing.T) { testlapack.DsyevTest(t, gonum.Implementation{}) })
	t.Run("Dgesvd", func(t *testing.T) { testlapack.DgesvdTest(t, gonum.Implementation{}, 1e-13) })
}
