package asm_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/convergent-go/convergent/asm"
)

// exactFMA computes x*y+z without error and rounds it once.
func exactFMA(x, y, z float32) float32 {
	const precision = 1100 // bits: the span of float32 exponents, products included
	b := func(v float32) *big.Float { return new(big.Float).SetPrec(precision).SetFloat64(float64(v)) }
	p := new(big.Float).SetPrec(precision).Mul(b(x), b(y))
	f, _ := p.Add(p, b(z)).Float32()
	return f
}

func TestFMAIsRoundedOnce(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	finite := func() float32 {
		for {
			if f := math.Float32frombits(rnd.Uint32()); f == f && !math.IsInf(float64(f), 0) {
				return f
			}
		}
	}
	check := func(x, y, z float32) {
		t.Helper()
		got, want := asm.FMA(x, y, z), exactFMA(x, y, z)
		if got != want {
			t.Fatalf("FMA(%x, %x, %x) = %x, want %x", x, y, z, got, want)
		}
	}
	for range 100_000 {
		x, y := finite(), finite()
		check(x, y, finite())
		check(x, y, -x*y) // cancellation, if finite
		// Addends near the half-way points of the product, where rounding twice errs.
		u := 1 + float32(rnd.IntN(1<<12))/(1<<12)
		v := 1 + float32(rnd.IntN(1<<12))/(1<<12)
		tiny := float32(math.Ldexp(float64(rnd.IntN(3)-1), -24-rnd.IntN(60)))
		check(u, v, tiny)
		// Results among the subnormals.
		s := float32(math.Ldexp(1, -100))
		check(u*s, v*float32(math.Ldexp(1, -40-rnd.IntN(12))), tiny*float32(math.Ldexp(1, -90)))
	}
	// The known case: half-way in float64 arithmetic, above it in truth.
	check(1+1.0/(1<<12), 1+1.0/(1<<12), float32(math.Ldexp(1, -80)))
}

func TestFMASpecials(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, c := range []struct{ x, y, z, want float32 }{
		{inf, 1, 0, inf}, {inf, -1, 0, -inf}, {1, 1, -inf, -inf},
		{math.MaxFloat32, 2, 0, inf}, {math.MaxFloat32, -2, 0, -inf},
		{inf, 0, 0, nan}, {inf, 1, -inf, nan}, {nan, 1, 1, nan}, {1, 1, nan, nan},
	} {
		if got := asm.FMA(c.x, c.y, c.z); got != c.want && (got == got || c.want == c.want) {
			t.Errorf("FMA(%v, %v, %v) = %v, want %v", c.x, c.y, c.z, got, c.want)
		}
	}
	if negZero := asm.FMA(-1, 0, float32(math.Copysign(0, -1))); !math.Signbit(float64(negZero)) {
		t.Error("FMA(-1, 0, -0) is +0, want -0")
	}
}

// TestFMAOfProducts: where the addend is itself a product, each is rounded as it is written,
// and not fused the other way round.
func TestFMAOfProducts(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 100_000 {
		a, b, c, d := rnd.Float32()-0.5, rnd.Float32()-0.5, rnd.Float32()-0.5, rnd.Float32()-0.5
		z := float32(c * d)
		want := exactFMA(a, b, z)
		if got := asm.FMA(a, b, c*d); got != want {
			t.Fatalf("FMA(%x, %x, %x * %x) = %x, want %x", a, b, c, d, got, want)
		}
		if got, other := asm.FMA(a, b, z), asm.FMA(a, b, -z); got != want || other != exactFMA(a, b, -z) {
			t.Fatalf("FMA(%x, %x, %x) = %x, want %x", a, b, z, got, want)
		}
	}
}
