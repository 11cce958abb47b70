package bench

import (
	"math"
	"slices"
	"testing"
)

// TestUniform holds numbers that other languages compute from, too.
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

func TestAgree(t *testing.T) {
	x := Wide(uniform(1, 1000))
	ours := [][]float64{Sample(x)}
	if s := ours[0]; len(s) != 1+sampled || s[0] < 0.99 || s[0] > 1 {
		t.Errorf("%d numbers, the largest %v", len(s), s[0])
	}
	for _, change := range []func(v float64) float64{
		func(v float64) float64 { return v * 1.1 },
		func(float64) float64 { return math.NaN() },
	} {
		other := slices.Clone(ours[0])
		other[7] = change(other[7])
		if Agree(ours, [][]float64{other}, 1e-3) == nil {
			t.Errorf("%v passed for %v", other[7], ours[0][7])
		}
	}
	other := slices.Clone(ours[0])
	other[7] += 1e-4
	if err := Agree(ours, [][]float64{other}, 1e-3); err != nil {
		t.Error(err)
	}
	if Agree(ours, nil, 1) == nil || Agree(ours, [][]float64{nil}, 1) == nil {
		t.Error("samples of other sizes passed")
	}
}
