package selection

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestNth compares with sorting, of distinct values, of many that are equal, and of values
// in order already.
func TestNth(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for size := 1; size < 60; size++ {
		for _, kinds := range []int{1, 3, 1000} {
			for n := range size {
				x := make([]float64, size)
				for i := range x {
					x[i] = float64(rnd.IntN(kinds))
				}
				if kinds == 3 {
					slices.Sort(x)
				}
				want := slices.Sorted(slices.Values(x))
				if got := Nth(x, n); got != want[n] || x[n] != want[n] {
					t.Fatalf("%d of %d: %v, want %v", n, size, got, want[n])
				}
				if n > 0 && slices.Max(x[:n]) > x[n] || slices.Min(x[n:]) < x[n] {
					t.Fatalf("%d of %d: %v", n, size, x)
				}
				if slices.Sort(x); !slices.Equal(x, want) {
					t.Fatalf("%d of %d: values are lost", n, size)
				}
			}
		}
	}
}
