package selection

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestNth compares with sorting, and Value too, of distinct values, of many that are equal, and of values
// in order already.
func TestNth(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, size := range append(sizes(60), 500) {
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
				if got := Value(slices.Clone(x), make([]float64, size), n); got != want[n] {
					t.Fatalf("%d of %d: the value %v, want %v", n, size, got, want[n])
				}
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

// sizes are 1, 2, ..., n-1.
func sizes(n int) []int {
	var all []int
	for size := 1; size < n; size++ {
		all = append(all, size)
	}
	return all
}
