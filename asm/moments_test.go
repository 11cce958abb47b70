package asm_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/convergent-go/convergent/asm"
)

// TestCentre compares every tier with the portable one, for every width round the
// kernels' own, on buffers that end at a guard page, with columns that never vary
// and NaN among the values.
func TestCentre(t *testing.T) {
	forEachTier(t, func(t *testing.T, tier asm.Tier) {
		rnd := rand.New(rand.NewPCG(1, 1))
		for r := range 42 {
			for _, n := range []int{0, 1, 2, 15, 16, 17, 40} {
				for _, pad := range []int{0, 3} {
					if r*n == 0 {
						tier.Centre(n, nil, r, nil, r, asm.Columns{Shift: make([]float32, r)})
						continue
					}
					stride, ld := r+pad, r+2*pad
					dst, src := guarded(t, (n-1)*ld+r), guarded(t, (n-1)*stride+r)
					bits := func() []uint32 { return unsafe.Slice((*uint32)(unsafe.Pointer(&guarded(t, r)[0])), r) }
					c := asm.Columns{Shift: guarded(t, r), First: guarded(t, r), Sum: normal64(t, rnd, r), Largest: bits(), Varied: bits()}
					fillNormal(rnd, src)
					fillNormal(rnd, c.Shift)
					for i := range c.Largest {
						c.Largest[i] = math.Float32bits(rnd.Float32())
					}
					copy(c.First, src)
					for k := range n {
						src[k*stride] = c.First[0]
					}
					if r > 9 {
						src[8], src[9] = float32(math.Inf(-1)), -float32(math.NaN())
					}
					fill(dst, canary)
					want, wantColumns := slices.Clone(dst), c
					wantColumns.Sum, wantColumns.Largest, wantColumns.Varied = slices.Clone(c.Sum), slices.Clone(c.Largest), make([]uint32, r)
					tier.Centre(n, dst, ld, src, stride, c)
					asm.Portable.Centre(n, want, ld, src, stride, wantColumns)
					where := fmt.Sprintf("%d rows of %d, stride %d", n, r, stride)
					equalBits(t, dst, want, where)
					for i, s := range c.Sum {
						if math.Float64bits(s) != math.Float64bits(wantColumns.Sum[i]) && s == s {
							t.Fatalf("%s: sum %v, want %v", where, s, wantColumns.Sum[i])
						}
					}
					if !slices.Equal(c.Largest, wantColumns.Largest) {
						t.Fatalf("%s: largest %x, want %x", where, c.Largest, wantColumns.Largest)
					}
					if !slices.Equal(c.Varied, wantColumns.Varied) || c.Varied[0] != 0 {
						t.Fatalf("%s: varied %v, want %v", where, c.Varied, wantColumns.Varied)
					}
				}
			}
		}
	})
}

// TestShift compares every tier with the sum written out.
func TestShift(t *testing.T) {
	forEachTier(t, func(t *testing.T, tier asm.Tier) {
		rnd := rand.New(rand.NewPCG(1, 1))
		for n := range 34 {
			dst, u, v := normal64(t, rnd, n), normal64(t, rnd, n), normal64(t, rnd, n)
			want := slices.Clone(dst)
			for i := range want {
				want[i] = math.FMA(0.7, v[i], math.FMA(-0.3, u[i], want[i]))
			}
			tier.Shift(dst, -0.3, u, 0.7, v)
			if !slices.Equal(dst, want) {
				t.Fatalf("%d sums: %v, want %v", n, dst, want)
			}
		}
	})
}
