package elem

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
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
	const want = "f4e9fcf278169937"
	if got := fmt.Sprintf("%x", h.Sum(nil)[:8]); got != want {
		t.Errorf("hash of the results %s, want %s", got, want)
	}
}
