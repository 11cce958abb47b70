package asm_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/convergent-go/convergent/asm"
)

// TestAffine compares the affine maps of columns, and their sums, under every tier with the
// definitions written out, bit by bit, on buffers that end at a guard page.
func TestAffine(t *testing.T) {
	forEachTier(t, func(t *testing.T, tier asm.Tier) {
		rnd := rand.New(rand.NewPCG(1, 1))
		for c := 1; c < 52; c++ {
			for _, rows := range []int{0, 1, 2, 7} {
				n := rows * c
				var in [3][]float32 // x, dy and what is written to
				for i := range in {
					in[i] = guarded(t, n)
					fillNormal(rnd, in[i])
				}
				var of [3][]float32 // scale, slope, shift
				for i := range of {
					of[i] = guarded(t, c)
					fillNormal(rnd, of[i])
				}
				x, dy, y := in[0], in[1], in[2]
				scale, slope, shift := of[0], of[1], of[2]
				check := func(name string, want func(i, column int) float32) {
					t.Helper()
					for i, v := range y {
						if w := want(i, i%c); math.Float32bits(v) != math.Float32bits(w) {
							t.Fatalf("%s, %d rows of %d: element %d is %v, want %v", name, rows, c, i, v, w)
						}
					}
				}
				tier.Affine(y, x, scale, shift)
				check("Affine", func(i, k int) float32 { return float32(scale[k]*x[i]) + shift[k] })
				tier.AffineSum(y, dy, x, scale, slope, shift)
				check("AffineSum", func(i, k int) float32 { return float32(scale[k]*dy[i]) + (float32(slope[k]*x[i]) + shift[k]) })

				sum, products := make([]float64, c+1), make([]float64, c+1)
				wantSum, wantProducts := make([]float64, c+1), make([]float64, c+1)
				for k := range sum {
					sum[k], products[k] = rnd.NormFloat64(), rnd.NormFloat64()
				}
				copy(wantSum, sum)
				copy(wantProducts, products)
				for i, v := range x {
					wantSum[i%c] += float64(v)
					wantProducts[i%c] += float64(float64(v) * float64(dy[i]))
				}
				tier.ColumnSums(sum[:c], products[:c], x, dy)
				for k := range sum {
					if sum[k] != wantSum[k] || products[k] != wantProducts[k] {
						t.Fatalf("ColumnSums, %d rows of %d: column %d has %v and %v, want %v and %v", rows, c, k, sum[k], products[k], wantSum[k], wantProducts[k])
					}
				}
			}
		}
	})
}
