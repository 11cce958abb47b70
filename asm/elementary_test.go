package asm_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/convergent-go/convergent/asm"
)

var elementary = map[string]func(tier asm.Tier, a, b, c, d []float32){
	"Exp":          func(tier asm.Tier, a, b, c, d []float32) { tier.Exp(a, b, 0.5) },
	"Exp in place": func(tier asm.Tier, a, b, c, d []float32) { tier.Exp(a, a, 0) },
	"Sigmoid":      func(tier asm.Tier, a, b, c, d []float32) { tier.Sigmoid(a, b) },
	"Erf":          func(tier asm.Tier, a, b, c, d []float32) { tier.Erf(a, b) },
	"Tanh":         func(tier asm.Tier, a, b, c, d []float32) { tier.Tanh(a, b) },
	"Gelu":         func(tier asm.Tier, a, b, c, d []float32) { tier.Gelu(a, b) },
	"Raise":        func(tier asm.Tier, a, b, c, d []float32) { tier.Raise(a, b) },
	"Clamp":        func(tier asm.Tier, a, b, c, d []float32) { tier.Clamp(a, -0.5, 0.5) },
	"Multiply":     func(tier asm.Tier, a, b, c, d []float32) { tier.Multiply(a, b) },
	"Standardize":  func(tier asm.Tier, a, b, c, d []float32) { tier.Standardize(a, b, c, d, 0.25, 1.5) },
}

// TestElementary compares every tier with the portable one, bit by bit, for every length round
// the kernels' steps, on buffers that end at a guard page, with special values among others.
func TestElementary(t *testing.T) {
	special := []float32{0, float32(math.Copysign(0, -1)), float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 1, -1, 1e-42, 3e38, -3e38, 88.8, -87.5, -103, 4, -4}
	forEachTier(t, func(t *testing.T, tier asm.Tier) {
		for name, f := range elementary {
			rnd := rand.New(rand.NewPCG(1, 1))
			for n := range 70 {
				var got, want [4][]float32
				for i := range got {
					got[i], want[i] = guarded(t, n), make([]float32, n)
					for j := range got[i] {
						got[i][j] = float32(rnd.NormFloat64() * math.Exp(3*rnd.NormFloat64()))
						if rnd.IntN(4) == 0 {
							got[i][j] = special[rnd.IntN(len(special))]
						}
					}
					copy(want[i], got[i])
				}
				f(tier, got[0], got[1], got[2], got[3])
				f(asm.Portable, want[0], want[1], want[2], want[3])
				for i := range got {
					for j := range want[i] {
						g, w := got[i][j], want[i][j]
						if math.Float32bits(g) != math.Float32bits(w) && (g == g || w == w) {
							t.Fatalf("%s: array %d of %d elements: element %d is %v, want %v", name, i, n, j, g, w)
						}
					}
				}
			}
		}
	})
}

// TestElementaryAccuracy holds the functions to package math's, on numbers of every size.
func TestElementaryAccuracy(t *testing.T) {
	nan := math.NaN()
	x := []float32{0, float32(math.Inf(1)), float32(math.Inf(-1)), float32(nan)}
	for v := float32(1e-6); v < 200; v *= 1.0007 {
		x = append(x, v, -v)
	}
	y := make([]float32, len(x))
	for _, c := range []struct {
		name     string
		f        func(tier asm.Tier, y, x []float32)
		want     func(x float64) float64
		relative float64
	}{
		{"Exp", func(tier asm.Tier, y, x []float32) { tier.Exp(y, x, 0) }, math.Exp, 2e-7},
		{"Sigmoid", asm.Tier.Sigmoid, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, 3e-7},
		{"Erf", asm.Tier.Erf, math.Erf, 4e-7},
		{"Tanh", asm.Tier.Tanh, math.Tanh, 4e-7},
	} {
		tier := asm.Active()
		c.f(tier, y, x)
		for i, v := range x {
			want := c.want(float64(v))
			if want == float64(y[i]) || want != want && y[i] != y[i] {
				continue
			}
			if e := math.Abs(float64(y[i]) - want); !(e <= c.relative*math.Abs(want)+1e-38) && !(math.IsInf(float64(y[i]), 1) && want > math.MaxFloat32) {
				t.Errorf("%s of %v is %v, want %v", c.name, v, y[i], want)
			}
		}
	}
	asm.Active().Gelu(y, x)
	for i, v := range x {
		want := float64(v) / 2 * (1 + math.Erf(float64(v)/math.Sqrt2))
		if e := math.Abs(float64(y[i]) - want); e > 5e-7*math.Abs(float64(v)) {
			t.Errorf("Gelu of %v is %v, want %v", v, y[i], want)
		}
	}
}

// TestSpread compares sums under every tier, bit by bit, and with the plain ones.
func TestSpread(t *testing.T) {
	forEachTier(t, func(t *testing.T, tier asm.Tier) {
		rnd := rand.New(rand.NewPCG(1, 1))
		for n := range 70 {
			x := guarded(t, n)
			fillNormal(rnd, x)
			var plain, plainSquares float64
			for _, v := range x {
				plain += float64(v) - 0.25
				plainSquares += (float64(v) - 0.25) * (float64(v) - 0.25)
			}
			sum, squares := tier.Spread(x, 0.25)
			want, wantSquares := asm.Portable.Spread(x, 0.25)
			if sum != want || squares != wantSquares || math.Abs(sum-plain) > 1e-12 || math.Abs(squares-plainSquares) > 1e-12 {
				t.Fatalf("%d elements: %v and %v, want %v and %v, plainly %v and %v", n, sum, squares, want, wantSquares, plain, plainSquares)
			}
		}
	})
}
