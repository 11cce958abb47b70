package lapack

import (
	"fmt"
	"testing"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack"
	"gonum.org/v1/gonum/lapack/gonum"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/asm/blas"
)

// BenchmarkGonum times decompositions by this package over package blas and by gonum's own,
// in turn.
func BenchmarkGonum(b *testing.B) {
	for _, size := range [][2]int{{33, 33}, {40, 40}, {64, 64}, {128, 128}, {512, 512}, {1024, 1024}, {4096, 64}} {
		m, n := size[0], size[1]
		a := gaussian(m, n)
		var gram mat.SymDense
		gram.SymOuterK(1, a.T())
		for _, w := range []struct {
			name string
			run  func()
		}{
			{"SVD", func() { new(mat.SVD).Factorize(a, mat.SVDThin) }},
			{"singular values", func() { new(mat.SVD).Factorize(a, mat.SVDNone) }},
			{"EigenSym", func() { new(mat.EigenSym).Factorize(&gram, true) }},
			{"eigenvalues", func() { new(mat.EigenSym).Factorize(&gram, false) }},
		} {
			for _, by := range []string{"ours", "gonum"} {
				b.Run(fmt.Sprintf("%s %dx%d/%s", w.name, m, n, by), func(b *testing.B) {
					var routines lapack.Float64 = gonum.Implementation{}
					if by == "ours" {
						old := blas64.Implementation()
						defer blas64.Use(old)
						blas64.Use(blas.Implementation{})
						routines = Implementation{}
					}
					lapack64.Use(routines)
					defer lapack64.Use(gonum.Implementation{})
					for b.Loop() {
						w.run()
					}
				})
			}
		}
	}
}
