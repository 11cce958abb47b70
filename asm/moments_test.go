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
// kernels' own, on buffers that end at a guard page, with columns that never move
// and NaN among the values.
func TestCentre(t *testing.T) {
	each(t, func(t *testing.T, tier asm.Tier) {
		rnd := rand.New(rand.NewPCG(1, 1))
		for r := range 42 {
			for _, n := range []int{0, 1, 2, 7} {
				for _, pad := range []int{0, 3} {
					if r*n == 0 {
						tier.Centre(n, r, nil, r, nil, r, nil, nil, nil, nil, nil)
						continue
					}
					stride, ld := r+pad, r+2*pad
					dst, src := guarded(t, (n-1)*ld+r), guarded(t, (n-1)*stride+r)
					shift, first, sum, squares := guarded(t, r), guarded(t, r), guarded(t, r), guarded(t, r)
					moved := unsafe.Slice((*uint32)(unsafe.Pointer(&guarded(t, r)[0])), r)
					random(rnd, src)
					random(rnd, shift)
					random(rnd, sum)
					random(rnd, squares)
					copy(first, src)
					for k := range n {
						src[k*stride] = first[0]
					}
					if r > 9 {
						src[9] = float32(math.NaN())
					}
					fill(dst, canary)
					want, wantSum, wantSquares, wantMoved := slices.Clone(dst), slices.Clone(sum), slices.Clone(squares), make([]uint32, r)
					tier.Centre(n, r, dst, ld, src, stride, shift, first, sum, squares, moved)
					asm.Portable.Centre(n, r, want, ld, src, stride, shift, first, wantSum, wantSquares, wantMoved)
					where := fmt.Sprintf("%d rows of %d, stride %d", n, r, stride)
					same(t, dst, want, where)
					same(t, sum, wantSum, where)
					same(t, squares, wantSquares, where)
					if !slices.Equal(moved, wantMoved) || moved[0] != 0 {
						t.Fatalf("%s: moved %v, want %v", where, moved, wantMoved)
					}
				}
			}
		}
	})
}

// TestMerge compares every tier with the sum written out.
func TestMerge(t *testing.T) {
	each(t, func(t *testing.T, tier asm.Tier) {
		rnd := rand.New(rand.NewPCG(1, 1))
		for n := range 34 {
			src, more := guarded(t, n), guarded(t, n)
			random(rnd, src)
			random(rnd, more)
			dst, u, v := normal(t, rnd, n), normal(t, rnd, n), normal(t, rnd, n)
			want := slices.Clone(dst)
			for i := range want {
				want[i] += math.FMA(0.7, v[i], math.FMA(-0.3, u[i], float64(src[i])+float64(more[i])))
			}
			tier.Merge(dst, src, more, -0.3, u, 0.7, v)
			if !slices.Equal(dst, want) {
				t.Fatalf("%d sums: %v, want %v", n, dst, want)
			}
		}
	})
}
