package lapack_test

import (
	"fmt"

	"github.com/convergent-go/convergent/asm/blas"
	"github.com/convergent-go/convergent/asm/lapack"
	"gonum.org/v1/gonum/blas/blas64"
	gonum "gonum.org/v1/gonum/lapack/gonum"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"
)

func Example() {
	defer blas64.Use(blas64.Implementation())
	defer lapack64.Use(gonum.Implementation{})
	blas64.Use(blas.Implementation{}) // in main, once; package mat decomposes by kernels from here on
	lapack64.Use(lapack.Implementation{})

	a := mat.NewDense(100, 300, nil)
	a.Apply(func(i, j int, _ float64) float64 { return float64(i + j) }, a)
	var svd mat.SVD
	if !svd.Factorize(a, mat.SVDThin) {
		panic("no singular values")
	}
	fmt.Println("rank", svd.Rank(1e-12))
	fmt.Printf("%.3f\n", svd.Values(nil)[:2])
	// Output:
	// rank 2
	// [37869.554 1980.373]
}
