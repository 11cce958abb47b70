package dense

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestProducts compares the products for few rows with Gemm, on any number of threads:
// PackedB to the bit, ThinGemm to rounding.
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
				if testing.Short() && m*n*k > 1<<20 {
					continue
				}
				const lda, ldb, ldc = 2, 3, 1 // beyond what is used
				a, b, first := random(m*(k+lda)), random(k*(n+ldb)), random(m*(n+ldc))
				want := slices.Clone(first)
				p := Product{M: m, N: n, K: k, A: Rows(a, k+lda), B: Rows(b, n+ldb), C: want, LDC: n + ldc}
				Gemm(1, p)
				for _, threads := range []int{1, 3} {
					got := slices.Clone(first)
					p.C = got
					if Gemm(threads, p); !slices.Equal(got, want) {
						t.Fatalf("%d x %d x %d: Gemm differs on %d threads", m, k, n, threads)
					}
					copy(got, first)
					Pack(threads, k, n, Rows(b, n+ldb)).Multiply(threads, m, Rows(a, k+lda), got, n+ldc)
					if !slices.Equal(got, want) {
						t.Fatalf("%d x %d x %d on %d threads: PackedB differs from Gemm", m, k, n, threads)
					}
				}
				thin := slices.Clone(first)
				p.C = thin
				ThinGemm(1, p)
				for i, v := range thin {
					if e := v - want[i]; e > 1e-11 || e < -1e-11 {
						t.Fatalf("%d x %d x %d: ThinGemm has %v at %d, Gemm %v", m, k, n, v, i, want[i])
					}
				}
				again := slices.Clone(first)
				p.C = again
				ThinGemm(3, p)
				if !slices.Equal(again, thin) {
					t.Fatalf("%d x %d x %d: ThinGemm differs on three threads", m, k, n)
				}
			}
		}
	}
}
