package level3

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestPackedRows compares products of few rows with a packed B with their definition, for every
// division among threads.
func TestPackedRows(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	const beyond = 3 // between rows of A, and of C
	for m := 1; m <= 3; m++ {
		for _, n := range []int{1, 15, 32, 33, 100, 1100} {
			for _, k := range []int{0, 1, 7, KC, KC + 1, 2*KC + 30} {
				a, b, bias := normal32(rnd, m*(k+beyond)), normal32(rnd, n*k), normal32(rnd, n)
				want := make([]float32, m*(n+beyond))
				for i := range m {
					for j := range n {
						x, y := a[i*(k+beyond):], b[j*k:]
						want[i*(n+beyond)+j] = max(0, blockedSum(k, func(k int) float32 { return x[k] }, func(k int) float32 { return y[k] }, bias[j], true))
					}
				}
				packed := PackB(2, n, k, Rows{Data: b, Stride: k})
				for threads := 1; threads <= 3; threads++ {
					got := make([]float32, len(want))
					packed.Gemm(threads, m, Rows{Data: a, Stride: k + beyond}, got, n+beyond, Epilogue{Bias: bias, ReLU: true}, nil)
					for i, v := range got {
						if math.Float32bits(v) != math.Float32bits(want[i]) {
							t.Fatalf("%d x %d x %d on %d threads: element %d is %v, want %v", m, n, k, threads, i, v, want[i])
						}
					}
				}
			}
		}
	}
}
