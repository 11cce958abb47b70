package bench

import (
	"math"
	"slices"
	"testing"
)

// TestUniform holds the numbers that programs in other languages compute from, too.
func TestUniform(t *testing.T) {
	if got, want := uniform(1, 3), []float32{-0.9844698, 0.24463916, -0.9404509}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, v := range uniform(2, 1e5) {
		if v < -1 || v >= 1 {
			t.Fatalf("%v is not in [-1, 1)", v)
		}
	}
}

func TestCheckAgreement(t *testing.T) {
	x := Float64s(uniform(1, 1000))
	want := [][]float64{Sample(x)}
	if s := want[0]; len(s) != 1+sampleLen || s[0] < 0.99 || s[0] > 1 {
		t.Errorf("%d numbers, the largest %v", len(s), s[0])
	}
	for _, change := range []func(v float64) float64{
		func(v float64) float64 { return v * 1.1 },
		func(float64) float64 { return math.NaN() },
	} {
		got := slices.Clone(want[0])
		got[7] = change(got[7])
		if CheckAgreement(want, [][]float64{got}, 1e-3) == nil {
			t.Errorf("%v passed for %v", got[7], want[0][7])
		}
	}
	got := slices.Clone(want[0])
	got[7] += 1e-4
	if err := CheckAgreement(want, [][]float64{got}, 1e-3); err != nil {
		t.Error(err)
	}
	if CheckAgreement(want, nil, 1) == nil || CheckAgreement(want, [][]float64{nil}, 1) == nil {
		t.Error("samples of other sizes passed")
	}
}
