package asm_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/convergent-go/convergent/asm"
)

// inLanes returns the sum of terms, by what package asm says of the order: which lane each
// term goes to, and which lanes are added when.
func inLanes[T float32 | float64](n, vectors int, add func(s T, i int) T) T {
	lanes := 4
	if _, ok := any(T(0)).(float32); ok {
		lanes = 8
	}
	block := vectors * lanes
	s := make([]T, block)
	whole := n / block * block
	for i := range n / lanes * lanes {
		j := i % block
		if i >= whole {
			j = i % lanes
		}
		s[j] = add(s[j], i)
	}
	for ; len(s) > lanes; s = s[:len(s)/2] { // sets, neighbours first
		for j := range len(s) / 2 {
			set, lane := j/lanes, j%lanes
			s[j] = s[2*set*lanes+lane] + s[(2*set+1)*lanes+lane]
		}
	}
	for j := range lanes / 2 {
		s[j] += s[j+lanes/2]
	}
	for s = s[:lanes/2]; len(s) > 1; s = s[:len(s)/2] {
		for j := range len(s) / 2 {
			s[j] = s[2*j] + s[2*j+1]
		}
	}
	total := s[0]
	for i := n / lanes * lanes; i < n; i++ {
		total = add(total, i)
	}
	return total
}

// same compares the bits of numbers.
func same[T float32 | float64](a, b T) bool {
	return math.Float64bits(float64(a)) == math.Float64bits(float64(b)) || a != a && b != b
}

// vectorRoutines are the methods for one precision.
type vectorRoutines[T float32 | float64] struct {
	buffer func(t testing.TB, n int) []T
	fma    func(x, y, z T) T
	dot    func(x, y []T) T
	asum   func(x []T) T
	axpy   func(y []T, alpha T, x []T)
	scal   func(alpha T, x []T)
	dot4   func(a []T, lda int, x []T, dot *[4]T)
	axpy4  func(y, a []T, lda int, x *[4]T)
}

// check compares them with what they are said to do, to the bit, at every length round the
// kernels' own, on buffers that end or begin at a guard page: of normal elements, and of
// zeros of both signs, infinities and NaN.
func (v vectorRoutines[T]) check(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	zero := math.Copysign(0, -1)
	special := []float64{0, zero, zero, zero, 1e-320, 1e38, math.Inf(1), math.NaN()}
	for _, kind := range []string{"normal", "special"} {
		random := func(n int) []T {
			x := v.buffer(t, n)
			for i := range x {
				if x[i] = T(rnd.NormFloat64()); kind == "special" && rnd.IntN(3) == 0 {
					x[i] = T(special[rnd.IntN(min(len(special), 4+n/8))])
				}
			}
			return x
		}
		for n := range 75 {
			x, y, alpha := random(n), random(n), random(1)[0]
			if got, want := v.dot(x, y), inLanes(n, 4, func(s T, i int) T { return v.fma(x[i], y[i], s) }); !same(got, want) {
				t.Fatalf("dot of %d %s elements: %v, want %v", n, kind, got, want)
			}
			if got, want := v.asum(x), inLanes(n, 4, func(s T, i int) T { return s + T(math.Abs(float64(x[i]))) }); !same(got, want) {
				t.Fatalf("asum of %d %s elements: %v, want %v", n, kind, got, want)
			}
			for _, lda := range []int{n, n + 3} {
				a, u := random(3*lda+n), [4]T(random(4))
				var dot [4]T
				v.dot4(a, lda, x, &dot)
				for r, got := range dot {
					if want := inLanes(n, 2, func(s T, i int) T { return v.fma(a[r*lda+i], x[i], s) }); !same(got, want) {
						t.Fatalf("dot4 of %d %s elements, row %d, %d apart: %v, want %v", n, kind, r, lda, got, want)
					}
				}
				want := slices.Clone(y)
				for r, f := range u {
					for j := range want {
						want[j] = v.fma(a[r*lda+j], f, want[j])
					}
				}
				if v.axpy4(y, a, lda, &u); !slices.EqualFunc(y, want, same) {
					t.Fatalf("axpy4 of %d %s elements, %d apart: %v, want %v", n, kind, lda, y, want)
				}
			}
			want, scaled := slices.Clone(y), slices.Clone(x)
			for i := range want {
				want[i] = v.fma(x[i], alpha, want[i])
				scaled[i] *= alpha
			}
			if v.axpy(y, alpha, x); !slices.EqualFunc(y, want, same) {
				t.Fatalf("axpy of %d %s elements: %v, want %v", n, kind, y, want)
			}
			if v.scal(alpha, x); !slices.EqualFunc(x, scaled, same) {
				t.Fatalf("scal of %d %s elements: %v, want %v", n, kind, x, scaled)
			}
		}
	}
}

// TestVectors checks every tier, in both precisions.
func TestVectors(t *testing.T) {
	forEachTier(t, func(t *testing.T, tier asm.Tier) {
		vectorRoutines[float64]{guarded64, math.FMA, tier.Ddot, tier.Dasum, tier.Daxpy, tier.Dscal, tier.Ddot4, tier.Daxpy4}.check(t)
		vectorRoutines[float32]{guarded, asm.FMA, tier.Sdot, tier.Sasum, tier.Saxpy, tier.Sscal, tier.Sdot4, tier.Saxpy4}.check(t)
	})
}
