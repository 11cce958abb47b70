package asm_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/convergent-go/convergent/asm"
)

// TestStrips compares every strip under every tier with the portable one, for
// every length round the kernels' steps, on buffers that end at a guard page,
// with NaN, infinities and zeros of both signs among the values.
func TestStrips(t *testing.T) {
	specialValues := []float32{0, float32(math.Copysign(0, -1)), float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 1, 1, 1e-42}
	strips := map[string]func(tier asm.Tier, a, b, c []float32){
		"Add":           func(tier asm.Tier, a, b, c []float32) { tier.Add(a, b) },
		"ReLU":          func(tier asm.Tier, a, b, c []float32) { tier.ReLU(a) },
		"ReLUGrad":      func(tier asm.Tier, a, b, c []float32) { tier.ReLUGrad(a, b) },
		"ThreeQuarters": func(tier asm.Tier, a, b, c []float32) { tier.ThreeQuarters(a, b, c) },
		"Max": func(tier asm.Tier, a, b, c []float32) {
			if len(a) > 0 {
				tier.Max(a, unsafe.Slice((*int32)(unsafe.Pointer(&b[0])), len(b)), c, 1000)
			}
		},
	}
	forEachTier(t, func(t *testing.T, tier asm.Tier) {
		for name, strip := range strips {
			rnd := rand.New(rand.NewPCG(1, 1))
			for n := range 70 {
				var got, want [3][]float32
				for i := range got {
					got[i], want[i] = guarded(t, n), make([]float32, n)
					fillNormal(rnd, got[i])
					for j := range got[i] {
						if rnd.IntN(4) == 0 {
							got[i][j] = specialValues[rnd.IntN(len(specialValues))]
						}
					}
					copy(want[i], got[i])
				}
				strip(tier, got[0], got[1], got[2])
				strip(asm.Portable, want[0], want[1], want[2])
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

// TestFinite puts NaN and infinities everywhere in buffers that end at a guard page.
func TestFinite(t *testing.T) {
	forEachTier(t, func(t *testing.T, tier asm.Tier) {
		for n := range 130 {
			x := guarded(t, n)
			for i := range x {
				x[i] = math.MaxFloat32 * float32(1-i%2*2)
			}
			if !tier.Finite(x) {
				t.Fatalf("%d finite elements", n)
			}
			for i := range x {
				for _, invalid := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
					valid := x[i]
					x[i] = float32(invalid)
					if tier.Finite(x) {
						t.Fatalf("element %d of %d is %v", i, n, invalid)
					}
					x[i] = valid
				}
			}
		}
	})
}

// TestStripDefinitions holds the portable strips to what they are for.
func TestStripDefinitions(t *testing.T) {
	nan := float32(math.NaN())
	x := []float32{-1, 0, 2, nan}
	asm.Portable.ReLU(x)
	if fmt.Sprint(x) != "[0 0 2 NaN]" {
		t.Errorf("ReLU: %v", x)
	}
	d := []float32{5, 6, 7, 8}
	asm.Portable.ReLUGrad(d, x)
	if fmt.Sprint(d) != "[0 0 7 0]" {
		t.Errorf("ReLUGrad: %v", d)
	}
	maxima, argmax := []float32{1, 5, 3}, []int32{0, 1, 2}
	asm.Portable.Max(maxima, argmax, []float32{2, 5, nan}, 10)
	if fmt.Sprint(maxima, argmax) != "[2 5 3] [10 1 2]" {
		t.Errorf("Max: %v %v", maxima, argmax)
	}
	for s := float32(0.5); s < 1e6; s *= 1.37 {
		y := make([]float32, 1)
		asm.Portable.ThreeQuarters(y, []float32{3}, []float32{s})
		if want := 3 * math.Pow(float64(s), -0.75); math.Abs(float64(y[0])-want) > 3e-7*want {
			t.Errorf("ThreeQuarters at %v: %v, want %v", s, y[0], want)
		}
	}
}
