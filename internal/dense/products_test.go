package dense

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestProducts compares the products for few rows with Gemm: Packed to the bit, Thin to
// rounding.
func TestProducts(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	random := func(n int) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = rnd.NormFloat64()
		}
		return x
	}
	for _, m := range []int{1, 5, 12, 13, 97} {
		for _, n := range []int{1, 15, 16, 17, 300, 1030} {
			for _, k := range []int{1, 3, 4, 5, 255, 256, 257, 600} {
				const lda, ldb, ldc = 2, 3, 1 // beyond what is used
				a, b, first := random(m*(k+lda)), random(k*(n+ldb)), random(m*(n+ldc))
				want := slices.Clone(first)
				Gemm(1, m, n, k, 1, Rows(a, k+lda), Rows(b, n+ldb), want, n+ldc)
				for _, threads := range []int{1, 3} {
					got := slices.Clone(first)
					Pack(threads, k, n, Rows(b, n+ldb)).Product(threads, m, Rows(a, k+lda), got, n+ldc)
					if !slices.Equal(got, want) {
						t.Fatalf("%d x %d x %d on %d threads: Packed differs from Gemm", m, k, n, threads)
					}
				}
				thin := slices.Clone(first)
				Thin(1, m, n, k, a, k+lda, b, n+ldb, thin, n+ldc)
				for i, v := range thin {
					if off := v - want[i]; off > 1e-11 || off < -1e-11 {
						t.Fatalf("%d x %d x %d: Thin has %v at %d, Gemm %v", m, k, n, v, i, want[i])
					}
				}
				again := slices.Clone(first)
				Thin(3, m, n, k, a, k+lda, b, n+ldb, again, n+ldc)
				if !slices.Equal(again, thin) {
					t.Fatalf("%d x %d x %d: Thin differs on three threads", m, k, n)
				}
			}
		}
	}
}
