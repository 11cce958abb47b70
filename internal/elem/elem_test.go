package elem

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// ulps returns how many units in the last place of want got is away from it.
func ulps(got, want float64) float64 {
	if got == want || math.IsNaN(got) && math.IsNaN(want) {
		return 0
	}
	return math.Abs(got-want) / (math.Nextafter(math.Abs(want), math.Inf(1)) - math.Abs(want))
}

func TestAccuracy(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		x := (rnd.Float64() - 0.5) * 1400
		if u := ulps(Exp(x), math.Exp(x)); u > 2 && math.Exp(x) > 1e-300 {
			t.Fatalf("Exp(%v) = %v, %v ulp from %v", x, Exp(x), u, math.Exp(x))
		}
		y := math.Ldexp(1+rnd.Float64(), rnd.IntN(2000)-1000)
		if rnd.IntN(2) == 0 {
			y = 1 + (rnd.Float64()-0.5)*math.Ldexp(1, -rnd.IntN(50))
		}
		if u := ulps(Log(y), math.Log(y)); u > 2 {
			t.Fatalf("Log(%v) = %v, %v ulp from %v", y, Log(y), u, math.Log(y))
		}
		a := (rnd.Float64() - 0.5) * math.Ldexp(1, rnd.IntN(20))
		for _, f := range []struct {
			name      string
			got, want float64
		}{{"Sin", Sin(a), math.Sin(a)}, {"Cos", Cos(a), math.Cos(a)}} {
			if e := math.Abs(f.got - f.want); e > 0x1p-52 {
				t.Fatalf("%s(%v) = %v, want %v", f.name, a, f.got, f.want)
			}
		}
	}
}

// bigExp sums the series of e^x to 200 bits.
func bigExp(x float64) *big.Float {
	float := func(v float64) *big.Float { return new(big.Float).SetPrec(200).SetFloat64(v) }
	arg := float(math.Ldexp(x, -10)) // squared ten times below
	sum, term := float(1), float(1)
	for n := 1.0; n < 60; n++ {
		term.Quo(term.Mul(term, arg), float(n))
		sum.Add(sum, term)
	}
	for range 10 {
		sum.Mul(sum, sum)
	}
	return sum
}

// TestExact compares with more digits than a float64 has: Exp directly, Log as
// its inverse, whose error is that of e^(Log x) relative to x.
func TestExact(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		x := (rnd.Float64() - 0.5) * 1000
		want := bigExp(x)
		rounded, _ := want.Float64()
		got := new(big.Float).SetPrec(200).SetFloat64(Exp(x))
		e, _ := got.Sub(got, want).Float64()
		if u := math.Abs(e) / (math.Nextafter(rounded, math.Inf(1)) - rounded); u > 1.5 {
			t.Errorf("Exp(%v) is %.2f ulp away", x, u)
		}
		y := rnd.Float64() * 1e6
		l := Log(y)
		d := bigExp(l)
		r, _ := d.Sub(d.Quo(d, new(big.Float).SetFloat64(y)), big.NewFloat(1)).Float64()
		if u := math.Abs(r) / (math.Nextafter(math.Abs(l), math.Inf(1)) - math.Abs(l)); u > 1.5 {
			t.Errorf("Log(%v) is %.2f ulp away", y, u)
		}
	}
}

func TestSpecials(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"Exp(0)", Exp(0), 1}, {"Exp(-Inf)", Exp(-inf), 0}, {"Exp(Inf)", Exp(inf), inf}, {"Exp(NaN)", Exp(nan), nan},
		{"Exp(710)", Exp(710), inf}, {"Exp(-746)", Exp(-746), 0}, {"Exp(1)", Exp(1), math.E},
		{"Log(1)", Log(1), 0}, {"Log(0)", Log(0), -inf}, {"Log(-1)", Log(-1), nan}, {"Log(Inf)", Log(inf), inf}, {"Log(NaN)", Log(nan), nan},
		{"Log(2)", Log(2), math.Ln2}, {"Log(smallest)", Log(math.SmallestNonzeroFloat64), -744.4400719213812},
		{"Sin(0)", Sin(0), 0}, {"Cos(0)", Cos(0), 1}, {"Sin(NaN)", Sin(nan), nan}, {"Cos(Inf)", Cos(inf), nan},
	} {
		if u := ulps(c.got, c.want); u > 1 {
			t.Errorf("%s = %v, want %v", c.name, c.got, c.want)
		}
	}
	if s := Sin(math.Copysign(0, -1)); s != 0 || !math.Signbit(s) {
		t.Errorf("Sin(-0) = %v", s)
	}
	if x := Sin(1 << 21); !math.IsNaN(x) {
		t.Errorf("Sin(2^21) = %v", x)
	}
	if e := Exp(-745); e != math.SmallestNonzeroFloat64 {
		t.Errorf("Exp(-745) = %v", e)
	}
}

// TestBits fails where this machine's results differ from every other's.
func TestBits(t *testing.T) {
	h := sha256.New()
	for i := range 20_000 {
		x := float64(i-10_000) / 64
		for _, v := range []float64{Exp(x), Log(math.Abs(x) + 0.01), Sin(x), Cos(x)} {
			binary.Write(h, binary.LittleEndian, math.Float64bits(v))
		}
	}
	const want = "9d8bca646c4347c1"
	if got := fmt.Sprintf("%x", h.Sum(nil)[:8]); got != want {
		t.Errorf("hash of the results %s, want %s", got, want)
	}
}
