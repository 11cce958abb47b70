package vec

import (
	"math"
	"testing"
)

// TestRuns goes round the lengths that kernels are given at once.
func TestRuns(t *testing.T) {
	for _, n := range []int{0, 1, run - 1, run, run + 1, 3*run + 7} {
		x, y, gate := make([]float32, n+1), make([]float32, n), make([]float32, n)
		for i := range y {
			x[i], y[i], gate[i] = float32(i%7)-3, float32(i%5)-2, 1
		}
		Add(x, y)
		ReLU(x[:n])
		Gate(gate, x[:n])
		for i := range y {
			want, open := float32(max(0, i%7-3+i%5-2)), float32(0)
			if want > 0 {
				open = 1
			}
			if x[i] != want || gate[i] != open {
				t.Fatalf("%d elements: element %d is %v and gated to %v, want %v and %v", n, i, x[i], gate[i], want, open)
			}
		}
		if x[n] != 0 {
			t.Fatal("an element beyond the last has changed")
		}
		for _, at := range []int{0, run - 1, run, n - 1} {
			if at < 0 || at >= n {
				continue
			}
			x[at] = float32(math.Inf(1))
			if Finite(x) {
				t.Errorf("%d elements: infinity at %d is not found", n, at)
			}
			x[at] = 0
		}
		if !Finite(x) {
			t.Errorf("%d elements: not finite", n)
		}
	}
}
