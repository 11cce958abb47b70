package asm_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/convergent-go/convergent/asm"
)

// normal64 returns n normal float64 that end at a guard page.
func normal64(t *testing.T, rnd *rand.Rand, n int) []float64 {
	x := guarded64(t, n)
	for i := range x {
		x[i] = rnd.NormFloat64()
	}
	return x
}

// TestProduct compares every tier with the sum written out, on operands and a tile
// that end at a guard page, and looks at everything between the tile's rows.
func TestProduct(t *testing.T) {
	forEachTier(t, func(t *testing.T, tier asm.Tier) {
		rnd := rand.New(rand.NewPCG(1, 1))
		rows, cols := tier.ProductTile()
		for _, kc := range []int{1, 2, 3, 7, 64, 257} {
			for _, pad := range []int{0, 1, 5, cols} {
				ldc := cols + pad
				a, b, c := normal64(t, rnd, kc*rows), normal64(t, rnd, kc*cols), normal64(t, rnd, (rows-1)*ldc+cols)
				want := slices.Clone(c)
				for i := range rows {
					for j := range cols {
						var s float64
						for k := range kc {
							s = math.FMA(a[k*rows+i], b[k*cols+j], s)
						}
						want[i*ldc+j] += s
					}
				}
				tier.Product(kc, a, b, c, ldc)
				if !slices.Equal(c, want) {
					t.Fatalf("%d terms, pad %d: not the sums", kc, pad)
				}
			}
		}
	})
}

// TestDotAxpy4 compares every tier with the sums written out, at every length round
// the kernel's own, on buffers that end at a guard page.
func TestDotAxpy4(t *testing.T) {
	forEachTier(t, func(t *testing.T, tier asm.Tier) {
		rnd := rand.New(rand.NewPCG(1, 1))
		for n := range 22 {
			for _, lda := range []int{n, n + 1, n + 3} {
				a, x, y := normal64(t, rnd, 3*lda+n), normal64(t, rnd, n), normal64(t, rnd, n)
				u, dot := (*[4]float64)(normal64(t, rnd, 4)), (*[4]float64)(normal64(t, rnd, 4))
				want, sums := slices.Clone(y), *dot
				for i := range 4 {
					var s [4]float64
					unrolled := n &^ 3
					for j := range n {
						want[j] = math.FMA(a[i*lda+j], u[i], want[j])
						if j < unrolled {
							s[j%4] = math.FMA(a[i*lda+j], x[j], s[j%4])
						}
					}
					sums[i] += (s[0] + s[2]) + (s[1] + s[3])
					for j := unrolled; j < n; j++ {
						sums[i] = math.FMA(a[i*lda+j], x[j], sums[i])
					}
				}
				if tier.DotAxpy4(a, lda, x, y, u, dot); !slices.Equal(y, want) || *dot != sums {
					t.Fatalf("%d elements, rows %d apart: %v and %v, want %v and %v", n, lda, y, *dot, want, sums)
				}
			}
		}
	})
}

// TestAxpy4Ger4 compares every tier with the sums written out, at every length
// round the kernels' own, on buffers that end at a guard page.
func TestAxpy4Ger4(t *testing.T) {
	forEachTier(t, func(t *testing.T, tier asm.Tier) {
		rnd := rand.New(rand.NewPCG(1, 1))
		for n := range 22 {
			y, x := normal64(t, rnd, n), (*[4]float64)(normal64(t, rnd, 4))
			rows := [4][]float64{normal64(t, rnd, n), normal64(t, rnd, n+1), normal64(t, rnd, n), normal64(t, rnd, n)}
			want := slices.Clone(y)
			for j := range want {
				for i := range 4 {
					want[j] = math.FMA(rows[i][j], x[i], want[j])
				}
			}
			if tier.Axpy4(y, &rows, x); !slices.Equal(y, want) {
				t.Fatalf("%d elements of Axpy4: %v, want %v", n, y, want)
			}
			for _, ld := range []int{n, n + 1, n + 3} {
				if n == 0 {
					tier.Ger4(nil, ld, nil, x)
					continue
				}
				y := normal64(t, rnd, 3*ld+n)
				want := slices.Clone(y)
				for i := range 4 {
					for j := range n {
						want[i*ld+j] = math.FMA(rows[0][j], x[i], want[i*ld+j])
					}
				}
				if tier.Ger4(y, ld, rows[0], x); !slices.Equal(y, want) {
					t.Fatalf("%d elements of Ger4, rows %d apart: %v, want %v", n, ld, y, want)
				}
			}
		}
	})
}
