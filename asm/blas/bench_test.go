package blas

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/blas/gonum"
	"gonum.org/v1/gonum/mat"
)

// BenchmarkGonum times this package and gonum's own in turn: products, and what of package
// mat stands on them.
func BenchmarkGonum(b *testing.B) {
	const n = 1024
	rnd := rand.New(rand.NewPCG(1, 2))
	x, y, z := make([]float64, n*n), make([]float64, n*n), make([]float64, n*n)
	x32, y32, z32 := make([]float32, n*n), make([]float32, n*n), make([]float32, n*n)
	for i := range x {
		x[i], y[i] = rnd.NormFloat64(), rnd.NormFloat64()
		x32[i], y32[i] = float32(x[i]), float32(y[i])
	}
	a := mat.NewDense(n, n, x)
	half := mat.NewDense(n/2, n/2, x[:n*n/4])
	var gram mat.SymDense
	gram.SymOuterK(1, a)
	full := mat.DenseCopyOf(&gram) // both triangles
	var halfGram mat.SymDense
	halfGram.SymOuterK(1, half)
	type routines interface {
		blas.Float64
		blas.Float32
	}
	for _, w := range []struct {
		name string
		run  func(i routines)
	}{
		{"Dgemm", func(i routines) { i.Dgemm(blas.NoTrans, blas.NoTrans, n, n, n, 1, x, n, y, n, 0, z, n) }},
		{"Sgemm", func(i routines) { i.Sgemm(blas.NoTrans, blas.NoTrans, n, n, n, 1, x32, n, y32, n, 0, z32, n) }},
		{"Dsymm", func(i routines) { i.Dsymm(blas.Left, blas.Upper, n, n, 1, x, n, y, n, 0, z, n) }},
		{"Dsyrk", func(i routines) { i.Dsyrk(blas.Upper, blas.NoTrans, n, n, 1, x, n, 0, z, n) }},
		{"Dsyr2k", func(i routines) { i.Dsyr2k(blas.Upper, blas.NoTrans, n, n, 1, x, n, y, n, 0, z, n) }},
		{"Dtrmm", func(i routines) {
			copy(z, y)
			i.Dtrmm(blas.Left, blas.Lower, blas.NoTrans, blas.Unit, n, n, 1e-3, x, n, z, n)
		}},
		{"Dtrsm", func(i routines) {
			copy(z, y)
			i.Dtrsm(blas.Left, blas.Lower, blas.NoTrans, blas.NonUnit, n, n, 1, full.RawMatrix().Data, n, z, n)
		}},
		{"Dtrsm from the right", func(i routines) {
			copy(z, y)
			i.Dtrsm(blas.Right, blas.Upper, blas.NoTrans, blas.NonUnit, n, n, 1, full.RawMatrix().Data, n, z, n)
		}},
		{"Strsm", func(i routines) {
			copy(z32, y32)
			i.Strsm(blas.Left, blas.Lower, blas.NoTrans, blas.Unit, n, n, 1, x32, n, z32, n)
		}},
		{"Dgemv", func(i routines) { i.Dgemv(blas.NoTrans, n, n, 1, x, n, y, 1, 0, z, 1) }},
		{"Dgemv transposed", func(i routines) { i.Dgemv(blas.Trans, n, n, 1, x, n, y, 1, 0, z, 1) }},
		{"Dgemv 256", func(i routines) { i.Dgemv(blas.NoTrans, 256, 256, 1, x, 256, y, 1, 0, z, 1) }},
		{"Dsymv", func(i routines) { i.Dsymv(blas.Upper, n, 1, x, n, y, 1, 0, z, 1) }},
		{"Dger", func(i routines) { i.Dger(n, n, 1, y, 1, y, 1, z, n) }},
		{"Ddot 1024", func(i routines) { i.Ddot(n, x, 1, y, 1) }},
		{"Daxpy 1024", func(i routines) { i.Daxpy(n, 1e-9, x, 1, z, 1) }},
		{"mat.Cholesky", func(i routines) {
			var c mat.Cholesky
			c.Factorize(&gram)
		}},
		{"mat.LU", func(i routines) {
			var c mat.LU
			c.Factorize(a)
		}},
		{"mat.QR", func(i routines) {
			var c mat.QR
			c.Factorize(a)
		}},
		{"mat.SVD 512", func(i routines) {
			var c mat.SVD
			c.Factorize(half, mat.SVDThin)
		}},
		{"mat.EigenSym 512", func(i routines) {
			var c mat.EigenSym
			c.Factorize(&halfGram, true)
		}},
	} {
		for _, i := range []struct {
			name string
			routines
		}{{"ours", Implementation{}}, {"gonum", gonum.Implementation{}}} {
			b.Run(fmt.Sprintf("%s/%s", w.name, i.name), func(b *testing.B) {
				old := blas64.Implementation()
				blas64.Use(i.routines)
				defer blas64.Use(old)
				for b.Loop() {
					w.run(i.routines)
				}
			})
		}
	}
}
