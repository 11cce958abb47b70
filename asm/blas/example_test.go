package blas_test

import (
	"fmt"

	"github.com/convergent-go/convergent/asm/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

func Example() {
	defer blas64.Use(blas64.Implementation())
	blas64.Use(blas.Implementation{}) // in main, once; package mat multiplies by kernels from here on

	a := mat.NewDense(200, 300, nil)
	a.Apply(func(i, j int, _ float64) float64 { return float64(i + j) }, a)
	var product mat.Dense
	product.Mul(a, a.T())
	fmt.Println(product.At(0, 0), product.At(199, 199))
	// Output: 8.95505e+06 3.868565e+07
}
