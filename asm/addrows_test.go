package asm_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/convergent-go/convergent/asm"
)

// TestAddRows compares every tier with the sums written out, at every number of columns
// round the kernel's own, on buffers that end at a guard page.
func TestAddRows(t *testing.T) {
	forEachTier(t, func(t *testing.T, tier asm.Tier) {
		rnd := rand.New(rand.NewPCG(1, 1))
		for n := range 75 {
			for _, rows := range []int{0, 1, 2, 5, 16} {
				for _, ldb := range []int{n, n + 1, n + 7} {
					y, x, b := guarded(t, n), guarded(t, rows), guarded(t, max(0, (rows-1)*ldb+n))
					for _, s := range [][]float32{y, x, b} {
						fillNormal(rnd, s)
					}
					want := slices.Clone(y)
					for j := range want {
						for k := range rows {
							want[j] = asm.FMA(x[k], b[k*ldb+j], want[j])
						}
					}
					tier.AddRows(y, x, b, ldb)
					equalBits(t, y, want, fmt.Sprintf("%d rows of %d, %d apart", rows, n, ldb))
				}
			}
		}
	})
}
